// One thing to be measured: a row of the table.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bench/messages.hpp"
#include "bench/round_trip.hpp"
#include "bench/team.hpp"

namespace ringpipe::bench {

struct settings {
    std::chrono::nanoseconds time = std::chrono::milliseconds{250};  // of one measurement
    std::uint64_t capacity = 0;                       // bytes that a peer may keep in flight
    std::vector<std::size_t> sizes{64, 1024, 65536};  // of messages: some of `message_sizes`
};

inline constexpr std::array<std::size_t, 5> message_sizes{64, 256, 1024, 65536, 1U << 20U};

enum class measure { throughput, round_trip };

// What one side of a cell reports.
struct measurement {
    bool here = false;  // false on the side that has nothing to tell
    double per_second = 0;
    double bytes_per_second = 0;
    std::uint64_t verified = 0;  // messages that were read to the last byte, warm-up included
    latency trip{};
};

struct place {  // in the report
    std::string section;
    std::string subject;
};

struct cell {
    std::string name;
    measure what = measure::throughput;
    std::string floor{};  // the cells it is compared with, by name
    std::string peer{};
    team processes{};
    std::function<void()> clean_up = [] {};  // in the parent, after all have ended

    std::string section{};            // the table that it stands in
    std::string subject{};            // whose it is: "ringpipe", "pipe", ...
    place also{};                     // a second table that it stands in; empty: none
    std::string left_out{};           // why this machine does not allow it; empty: it does
    std::size_t senders = 1;          // the first of the processes; the others receive
    std::function<void()> prepare{};  // in the parent, before the processes start
    std::function<measurement(const team_outcome&)> judge = the_one_that_reported;

    static measurement the_one_that_reported(const team_outcome& outcome);
};

inline measurement cell::the_one_that_reported(const team_outcome& outcome) {
    for (std::size_t i = 0; i < outcome.reports.size(); ++i) {
        if (const auto got = outcome.report_of<measurement>(i); got.here) { return got; }
    }
    throw std::logic_error("no side has reported a measurement");
}

inline measurement stream_measured(const message_checker& check) {
    const auto rate = check.per_second();
    return {true, rate, rate * static_cast<double>(check.message_size()), check.verified(), {}};
}

inline measurement trips_measured(const latency& trip) { return {true, 0, 0, trip.all, trip}; }

inline trip_plan trips_for(const settings& how) {
    return {.warm_up = 10'000, .warm_up_at_most = how.time, .time = how.time};
}

// Two raw atomics, a futex, a stream without synchronisation: what the machine can do.
[[nodiscard]] std::vector<cell> floor_cells(const settings& how);

// boost::lockfree::spsc_queue in shared memory.
[[nodiscard]] std::vector<cell> spsc_cells(const settings& how);

[[nodiscard]] std::vector<cell> ringpipe_cells(const settings& how);

// The default wait beside fixed ones, under different loads.
[[nodiscard]] std::vector<cell> waiting_cells(const settings& how);

// Larger rings, more groups, more consumers.
[[nodiscard]] std::vector<cell> growth_cells(const settings& how);

// "64 B", "1 KiB": how cells of a message size are named.
[[nodiscard]] inline std::string size_name(std::size_t size) {
    if (size < 1024) { return std::to_string(size) + " B"; }
    return size < (1U << 20U) ? std::to_string(size / 1024) + " KiB"
                              : std::to_string(size >> 20U) + " MiB";
}

inline constexpr const char* by_processes = "ringpipe by number of processes, 64 B";

// The section of two processes, one way.
[[nodiscard]] inline std::string one_to_one(std::size_t size) {
    return "one to one, " + size_name(size);
}
inline constexpr const char* trips_spinning = "round trip, spinning";
inline constexpr const char* trips_asleep = "round trip, blocked";

// Calls use(std::integral_constant<std::size_t, SIZE>) for each of the sizes.
template <class Use>
void for_each_size(const settings& how, Use&& use) {
    const auto one = [&](auto size) {
        if (std::find(how.sizes.begin(), how.sizes.end(), size()) != how.sizes.end()) { use(size); }
    };
    [&]<std::size_t... at>(std::index_sequence<at...>) {
        (one(std::integral_constant<std::size_t, message_sizes[at]>{}), ...);
    }
    (std::make_index_sequence<message_sizes.size()>{});
}

}  // namespace ringpipe::bench
