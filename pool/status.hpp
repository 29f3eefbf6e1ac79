// What a pool looks like, in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringpipe::pool {

struct worker_status {
    std::uint32_t pid = 0;  // as its own PID namespace numbers it
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

// What others than its owner see of a pool.
struct pool_outline {
    std::string name;
    std::string path;             // of its board
    bool alive = false;           // else its owner was killed, and what it left can be removed
    std::uint32_t owner_pid = 0;  // as its own PID namespace numbers it
    std::uint32_t max_workers = 0;
    std::string broken;  // why no worker could start; else empty
    pool_status status;
};

// The names of all files in /dev/shm that are called like pools, sorted.
[[nodiscard]] std::vector<std::string> list_pools();

// As its owner has told on its board: what waits and what is done a moment late, what the workers
// do at once. Takes no part in it. Throws error(ring_not_found, no_permission, wrong_version).
[[nodiscard]] pool_outline outline_of(std::string_view pool);

}  // namespace ringpipe::pool
