// Runs every cell once per round, so that what changes with time changes all of them alike.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "bench/cell.hpp"
#include "bench/probe.hpp"
#include "bench/statistics.hpp"

namespace ringpipe::bench {

struct sample {
    int round = 0;
    double probe_before = 0;  // nanoseconds
    double probe_after = 0;
    regime in = regime::mixed;
    long preemptions = 0;
    double cpu_of_senders = 0;  // seconds
    double cpu_of_receivers = 0;
    measurement got{};
};

struct row {
    cell of;
    std::vector<sample> samples{};
    std::string failure{};  // then it was not run again
};

[[nodiscard]] inline double per_second(const sample& of) { return of.got.per_second; }
[[nodiscard]] inline double p50(const sample& of) { return of.got.trip.p50; }
[[nodiscard]] inline double probe(const sample& of) {
    return (of.probe_before + of.probe_after) / 2;
}

// Of a figure(sample), over the samples of one regime.
template <class Figure>
[[nodiscard]] spread spread_in(const row& of, regime in, Figure&& figure) {
    std::vector<double> values;
    for (const auto& one : of.samples) {
        if (one.in == in) { values.push_back(figure(one)); }
    }
    return spread_of(std::move(values));
}

struct round_options {
    int rounds = 7;
    double far_above_ns = 230;  // a round trip of two raw atomics above this is "far"
    std::array<int, 2> cores{};
    bool progress = false;  // on stderr
};

[[nodiscard]] inline bool any_failed(const std::vector<row>& rows) {
    return std::any_of(rows.begin(), rows.end(),
                       [](const row& one) { return !one.failure.empty(); });
}

[[nodiscard]] std::vector<row> run_rounds(std::vector<cell> cells, const round_options& options);

}  // namespace ringpipe::bench
