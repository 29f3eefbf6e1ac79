#include "bench/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "bench/short_forms.hpp"
#include "bench/statistics.hpp"

namespace ringpipe::bench {

namespace {

// All cells' medians in one regime.
class medians {
  public:
    medians(const std::vector<row>& rows, regime in) : rows_{rows}, in_{in} {}

    [[nodiscard]] double of(std::string_view name) const {
        const auto found = std::find_if(rows_.begin(), rows_.end(),
                                        [&](const row& one) { return one.of.name == name; });
        if (found == rows_.end()) { return 0; }
        return spread_in(*found, in_, found->of.what == measure::throughput ? per_second : p50)
            .median;
    }

    // "1.15", or a dash if there is nothing to compare with.
    [[nodiscard]] std::string ratio(double value, const std::string& to) const {
        const auto base = of(to);
        return base > 0 ? fmt::format("{:.2f}", value / base) : "-";
    }

  private:
    const std::vector<row>& rows_;
    regime in_;
};

void print_throughput(std::FILE* to, const std::vector<row>& rows, regime in,
                      const std::string& peer) {
    const medians all{rows, in};
    fmt::print(to, "\n{:<34}{:>3}{:>10}{:>21}{:>8}{:>10}{:>9}\n", "messages per second", "n",
               "median", "min - max", "GB/s", "/ stream", "/ " + peer);
    for (const auto& one : rows) {
        const auto rate = spread_in(one, in, per_second);
        if (one.of.what != measure::throughput || rate.count == 0) { continue; }
        const auto volume =
            spread_in(one, in, [](const sample& of) { return of.got.bytes_per_second; });
        fmt::print(to, "{:<34}{:>3}{:>10}{:>21}{:>8.2f}{:>10}{:>9}\n", one.of.name, rate.count,
                   short_number(rate.median),
                   short_number(rate.least) + " - " + short_number(rate.most), volume.median / 1e9,
                   all.ratio(rate.median, one.of.floor), all.ratio(rate.median, one.of.peer));
    }
}

void print_round_trips(std::FILE* to, const std::vector<row>& rows, regime in,
                       const std::string& peer) {
    const medians all{rows, in};
    fmt::print(to, "\n{:<34}{:>3}{:>9}{:>20}{:>9}{:>9}{:>9}{:>9}{:>8}\n", "round trip", "n", "p50",
               "min - max of p50", "p99", "p99.9", "max", "/ floor", "/ " + peer);
    for (const auto& one : rows) {
        const auto middle = spread_in(one, in, p50);
        if (one.of.what != measure::round_trip || middle.count == 0) { continue; }
        const auto at = [&](double latency::*which) {
            return short_time(
                spread_in(one, in, [=](const sample& of) { return of.got.trip.*which; }).median);
        };
        fmt::print(to, "{:<34}{:>3}{:>9}{:>20}{:>9}{:>9}{:>9}{:>9}{:>8}\n", one.of.name,
                   middle.count, short_time(middle.median),
                   short_time(middle.least) + " - " + short_time(middle.most), at(&latency::p99),
                   at(&latency::p999), at(&latency::max), all.ratio(middle.median, one.of.floor),
                   all.ratio(middle.median, one.of.peer));
    }
}

void print_heading(std::FILE* to, const std::vector<row>& rows, regime in) {
    std::vector<double> probes;
    std::size_t total = 0;
    std::size_t preempted = 0;
    for (const auto& one : rows) {
        total += one.samples.size();
        for (const auto& each : one.samples) {
            if (each.in != in) { continue; }
            probes.push_back(probe(each));
            preempted += each.preemptions > 0 ? 1 : 0;
        }
    }
    const auto probed = spread_of(std::move(probes));
    fmt::print(to, "\n{}: {} of {} measurements", name_of(in), probed.count, total);
    if (in == regime::mixed) {
        fmt::print(to, " dropped, since the machine changed under them");
    } else if (probed.count > 0) {
        fmt::print(to, ", two raw atomics {:.0f} ns ({:.0f} - {:.0f}); {} were preempted",
                   probed.median, probed.least, probed.most, preempted);
    }
    fmt::print(to, "\n");
}

}  // namespace

void print_tables(std::FILE* to, const std::vector<row>& rows, const std::string& peer) {
    for (const auto in : {regime::near, regime::far}) {
        print_heading(to, rows, in);
        const auto seen = [&](measure what) {
            return std::any_of(rows.begin(), rows.end(), [&](const row& one) {
                return one.of.what == what && spread_in(one, in, probe).count > 0;
            });
        };
        if (seen(measure::throughput)) { print_throughput(to, rows, in, peer); }
        if (seen(measure::round_trip)) { print_round_trips(to, rows, in, peer); }
    }
    print_heading(to, rows, regime::mixed);
    for (const auto& one : rows) {
        if (!one.failure.empty()) { fmt::print(to, "FAILED {}: {}\n", one.of.name, one.failure); }
    }
}

}  // namespace ringpipe::bench
