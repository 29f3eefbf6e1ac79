#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "bench/comparison.hpp"
#include "bench/short_forms.hpp"

namespace ringpipe::bench {

namespace {

using texts = std::vector<std::string>;

struct text_table {
    texts heading;  // the first column is the widest, and the others are numbers
    std::vector<texts> rows{};
};

std::string ratio(const compared& of) {
    return of.ratio > 0 ? fmt::format("{:.2f}", of.ratio) : "-";
}

std::string seconds(double value) { return value > 0 ? fmt::format("{:.3f}", value) : "-"; }

text_table as_texts(const comparison& of) {
    const std::string ratios = of.with_peers ? "ringpipe is x" : "to the first";
    const std::string sender = "CPU s/M send";
    const std::string receiver = "receive";
    text_table made;
    if (of.what == measure::throughput) {
        made.heading = {of.title, "n", "per second", "min - max", "GB/s", ratios, sender, receiver};
        for (const auto& one : of.rows) {
            made.rows.push_back({one.subject, std::to_string(one.main.count),
                                 short_number(one.main.median),
                                 short_number(one.main.least) + " - " + short_number(one.main.most),
                                 fmt::format("{:.2f}", one.gigabytes_per_second), ratio(one),
                                 seconds(one.cpu_of_senders), seconds(one.cpu_of_receivers)});
        }
    } else {
        made.heading = {of.title, "n",    "p50",  "min - max", "p99",
                        "p99.9",  ratios, sender, receiver};
        for (const auto& one : of.rows) {
            made.rows.push_back({one.subject, std::to_string(one.main.count),
                                 short_time(one.main.median),
                                 short_time(one.main.least) + " - " + short_time(one.main.most),
                                 short_time(one.p99), short_time(one.p999), ratio(one),
                                 seconds(one.cpu_of_senders), seconds(one.cpu_of_receivers)});
        }
    }
    return made;
}

void print_text(std::FILE* to, const text_table& of) {
    std::vector<std::size_t> widths(of.heading.size());
    const auto widen = [&](const texts& row) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    };
    widen(of.heading);
    for (const auto& row : of.rows) { widen(row); }
    widths[0] = std::max<std::size_t>(widths[0], 40);
    const auto print_row = [&](const texts& row) {
        fmt::print(to, "{:<{}}", row[0], widths[0]);
        for (std::size_t i = 1; i < row.size(); ++i) {
            fmt::print(to, "{:>{}}", row[i], widths[i] + 2);
        }
        fmt::print(to, "\n");
    };
    fmt::print(to, "\n");
    print_row(of.heading);
    for (const auto& row : of.rows) { print_row(row); }
}

void print_markdown(std::FILE* to, const text_table& of) {
    const auto print_row = [&](const texts& row) {
        fmt::print(to, "|");
        for (const auto& one : row) { fmt::print(to, " {} |", one); }
        fmt::print(to, "\n");
    };
    fmt::print(to, "\n");
    print_row(of.heading);
    fmt::print(to, "| --- |");
    for (std::size_t i = 1; i < of.heading.size(); ++i) { fmt::print(to, " --: |"); }
    fmt::print(to, "\n");
    for (const auto& row : of.rows) {
        auto shown = row;
        if (row[0].starts_with("ringpipe")) { shown[0] = "**" + row[0] + "**"; }
        print_row(shown);
    }
}

void print_regime(std::FILE* to, const std::vector<row>& rows, regime in, format as) {
    std::vector<double> probes;
    std::size_t all = 0;
    for (const auto& one : rows) {
        all += one.samples.size();
        for (const auto& each : one.samples) {
            if (each.in == in) { probes.push_back(probe(each)); }
        }
    }
    if (probes.empty()) { return; }
    const auto probed = spread_of(std::move(probes));
    fmt::print(to, "\n{}{}: {} of {} measurements", as == format::markdown ? "### " : "",
               name_of(in), probed.count, all);
    if (in == regime::mixed) {
        fmt::print(to, " dropped, since the machine changed under them\n");
        return;
    }
    fmt::print(to, ", two raw atomics {:.0f} ns ({:.0f} - {:.0f})\n", probed.median, probed.least,
               probed.most);
    for (const auto& section : comparisons_in(rows, in)) {
        (as == format::markdown ? print_markdown : print_text)(to, as_texts(section));
    }
}

}  // namespace

void print_comparisons(std::FILE* to, const std::vector<row>& rows, format as) {
    for (const auto in : {regime::near, regime::far, regime::mixed}) {
        print_regime(to, rows, in, as);
    }
    const auto* const bullet = as == format::markdown ? "- " : "";
    fmt::print(to, "\n");
    for (const auto& one : rows) {
        const auto say = [&](std::string_view what, std::string_view why) {
            fmt::print(to, "{}{} {}: {}\n", bullet, what, one.of.name, why);
        };
        if (!one.of.left_out.empty()) { say("left out", one.of.left_out); }
        if (!one.failure.empty()) { say("FAILED", one.failure); }
    }
}

}  // namespace ringpipe::bench
