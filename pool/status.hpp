// What a pool looks like, in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace ringpipe::pool {

struct worker_status {
    std::uint32_t pid = 0;
    bool at_work = false;
    std::chrono::nanoseconds at_it_for{};  // if at work
    std::uint64_t done = 0;                // tasks that returned
    std::uint64_t failed = 0;              // tasks that threw
};

struct pool_status {
    std::uint64_t waiting = 0;  // not begun
    std::uint64_t running = 0;
    std::uint64_t done = 0;    // with a value
    std::uint64_t failed = 0;  // threw, timed out, or their worker died
    std::uint64_t cancelled = 0;
    std::uint64_t worker_deaths = 0;
    std::vector<worker_status> workers;
};

}  // namespace ringpipe::pool
