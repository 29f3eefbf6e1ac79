// What was measured, sorted into tables that compare.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "bench/machine.hpp"
#include "bench/rounds.hpp"

namespace ringpipe::bench {

// One row of a comparison, in one regime.
struct compared {
    std::string subject;
    spread main{};  // messages per second, or nanoseconds of p50
    double gigabytes_per_second = 0;
    double p99 = 0;
    double p999 = 0;
    double cpu_of_senders = 0;  // seconds per million messages
    double cpu_of_receivers = 0;
    double ratio = 0;  // see `comparison::with_peers`; 0: there is nothing to compare with
};

// One section of the report.
struct comparison {
    std::string title;
    measure what = measure::throughput;

    // With peers, the ratio says how often better ringpipe is, and the best stands first. Without,
    // the section is about ringpipe alone, and the ratio is to the first row.
    bool with_peers = false;
    std::vector<compared> rows{};
};

[[nodiscard]] std::vector<comparison> comparisons_in(const std::vector<row>& rows, regime in);

// Of near and far, the one in which more was measured.
[[nodiscard]] regime main_regime(const std::vector<row>& rows);

enum class format { text, markdown };

// Every section in every regime that was seen, and what was left out or failed.
void print_comparisons(std::FILE* to, const std::vector<row>& rows, format as);

// Bars on logarithmic scales, for 64 B, 1 KiB and the round trips: readable on light and on dark
// ground. Throws std::runtime_error if the file cannot be written.
void write_picture(const std::string& path, const machine& where, const std::vector<row>& rows);

}  // namespace ringpipe::bench
