#include "bench/comparison.hpp"

#include <algorithm>

namespace ringpipe::bench {

namespace {

constexpr const char* us = "ringpipe";

compared figures_of(const row& of, regime in) {
    const auto median = [&](auto figure) { return spread_in(of, in, figure).median; };
    compared made;
    made.main =
        of.of.what == measure::throughput ? spread_in(of, in, per_second) : spread_in(of, in, p50);
    made.gigabytes_per_second =
        median([](const sample& one) { return one.got.bytes_per_second / 1e9; });
    made.p99 = median([](const sample& one) { return one.got.trip.p99; });
    made.p999 = median([](const sample& one) { return one.got.trip.p999; });
    const auto per_million = [](double seconds, const sample& one) {
        return seconds * 1e6 / static_cast<double>(one.got.verified);
    };
    made.cpu_of_senders =
        median([&](const sample& one) { return per_million(one.cpu_of_senders, one); });
    made.cpu_of_receivers =
        median([&](const sample& one) { return per_million(one.cpu_of_receivers, one); });
    return made;
}

// Whether all of them are ours decides what is compared with what.
void compare_rows(comparison& of) {
    const auto is_ours = [](const compared& one) { return one.subject.starts_with(us); };
    of.with_peers = !std::all_of(of.rows.begin(), of.rows.end(), is_ours);
    auto base = of.rows.begin();
    if (of.with_peers) {
        base = std::find_if(of.rows.begin(), of.rows.end(),
                            [](const compared& one) { return one.subject == us; });
        if (base == of.rows.end()) { base = std::find_if(of.rows.begin(), of.rows.end(), is_ours); }
    }
    const auto reference = base == of.rows.end() ? 0 : base->main.median;
    const bool more_is_better = of.what == measure::throughput;
    for (auto& one : of.rows) {
        if (reference <= 0 || one.main.median <= 0) { continue; }
        const auto to_reference = one.main.median / reference;
        one.ratio = of.with_peers && more_is_better ? 1 / to_reference : to_reference;
    }
    if (!of.with_peers) { return; }
    std::stable_sort(of.rows.begin(), of.rows.end(), [&](const compared& a, const compared& b) {
        return more_is_better ? a.main.median > b.main.median : a.main.median < b.main.median;
    });
}

}  // namespace

std::vector<comparison> comparisons_in(const std::vector<row>& rows, regime in) {
    std::vector<comparison>
        sections;  // in the order of the cells, whatever was seen in which regime
    const auto add = [&](const place& at, const row& one) {
        auto section = std::find_if(sections.begin(), sections.end(), [&](const comparison& each) {
            return each.title == at.section;
        });
        if (section == sections.end()) {
            section = sections.insert(section, {at.section, one.of.what, false, {}});
        }
        auto figures = figures_of(one, in);
        figures.subject = at.subject;
        if (figures.main.count > 0) { section->rows.push_back(std::move(figures)); }
    };
    for (const auto& one : rows) { add({one.of.section, one.of.subject}, one); }
    for (const auto& one : rows) {
        if (!one.of.also.section.empty()) { add(one.of.also, one); }
    }
    std::erase_if(sections, [](const comparison& one) { return one.rows.empty(); });
    for (auto& section : sections) { compare_rows(section); }
    return sections;
}

regime main_regime(const std::vector<row>& rows) {
    long balance = 0;
    for (const auto& one : rows) {
        for (const auto& each : one.samples) {
            balance += each.in == regime::near ? 1 : each.in == regime::far ? -1 : 0;
        }
    }
    return balance >= 0 ? regime::near : regime::far;
}

}  // namespace ringpipe::bench
