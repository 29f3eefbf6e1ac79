// Python's multiprocessing.Queue: what many come from. Its two processes are python_queue.py's.
#include <sstream>

#include "bench/command.hpp"
#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

namespace {

constexpr const char* subject = "Python multiprocessing.Queue";

std::string script(const settings& how, const char* what, std::size_t size) {
    return std::string{"exec /usr/bin/env python3 "} + RINGPIPE_BENCH_FOLDER +
           "/peers/python_queue.py " + what + ' ' + std::to_string(size) + ' ' +
           std::to_string(std::chrono::duration<double>(how.time).count()) +
           " $FIRST_CORE $SECOND_CORE";
}

cell stream_cell(const settings& how, std::size_t size) {
    auto made = command_cell(script(how, "stream", size), [=](const command_result& ran) {
        std::istringstream figures{ran.output};
        measurement got{.here = true};
        figures >> got.per_second >> got.verified;
        got.bytes_per_second = got.per_second * static_cast<double>(size);
        return got;
    });
    made.name = "Python, " + size_name(size);
    made.section = one_to_one(size);
    return made;
}

cell trip_cell(const settings& how) {
    auto made = command_cell(script(how, "trips", 64), [](const command_result& ran) {
        std::istringstream figures{ran.output};
        latency trip;
        figures >> trip.p50 >> trip.p99 >> trip.p999 >> trip.max >> trip.all;
        trip.trips = trip.all;
        return trips_measured(trip);
    });
    made.name = "Python, round trip, block";
    made.what = measure::round_trip;
    made.section = trips_asleep;
    return made;
}

}  // namespace

std::vector<cell> python_cells(const settings& how) {
    std::vector<cell> cells;
    for (const auto size : how.sizes) { cells.push_back(stream_cell(how, size)); }
    cells.push_back(trip_cell(how));
    for (auto& one : cells) {
        one.subject = subject;
        one.left_out = why_not_installed("python3");
    }
    return cells;
}

}  // namespace ringpipe::bench
