// One thing to be measured: a row of the table.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/round_trip.hpp"
#include "bench/two_processes.hpp"

namespace ringpipe::bench {

struct settings {
    std::chrono::nanoseconds time = std::chrono::milliseconds{250};  // of one measurement
    std::uint64_t capacity = 0;  // bytes that a peer may keep in flight
};

enum class measure { throughput, round_trip };

// What one of a cell's two sides reports.
struct measurement {
    bool here = false;  // false on the side that has nothing to tell
    double per_second = 0;
    double bytes_per_second = 0;
    latency trip;
};

struct cell {
    std::string name;
    measure what = measure::throughput;
    std::string floor{};  // the cells it is compared with, by name
    std::string peer{};
    pair_of_processes processes{};
    std::function<void()> clean_up = [] {};  // in the parent, after both have ended
};

inline measurement stream_measured(const double per_second, const std::size_t message_size) {
    return {true, per_second, per_second * static_cast<double>(message_size), {}};
}

inline measurement trips_measured(const latency& trip) { return {true, 0, 0, trip}; }

inline trip_plan trips_for(const settings& how) {
    return {.warm_up = 10'000, .warm_up_at_most = how.time, .time = how.time};
}

// Two raw atomics, a futex, a stream without synchronisation: what the machine can do.
[[nodiscard]] std::vector<cell> floor_cells(const settings& how);

// boost::lockfree::spsc_queue in shared memory.
[[nodiscard]] std::vector<cell> spsc_cells(const settings& how);

[[nodiscard]] std::vector<cell> ringpipe_cells(const settings& how);

// "64 B", "1 KiB": how cells of a message size are named.
[[nodiscard]] inline std::string size_name(std::size_t size) {
    return size < 1024 ? std::to_string(size) + " B" : std::to_string(size / 1024) + " KiB";
}

}  // namespace ringpipe::bench
