// What a space looks like from outside, in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringpipe::sync {

// What a process has to do with a primitive.
enum class part {
    holds,              // a mutex; `count` units of a semaphore
    reads,              // a shared_mutex, `count` times
    writes,             // a shared_mutex; or it is the writer of a cell
    waits_for_readers,  // it has a shared_mutex's writer's word, and is not in yet
    arrived,            // at a barrier, in this phase
    awaited,            // a barrier waits for it
};

struct participant {
    std::uint32_t pid = 0;  // as its own PID namespace numbers it; 0 if it is no longer known
    bool alive = false;
    part what = part::holds;
    std::uint32_t count = 1;
};

struct primitive_status {
    std::string name;
    std::string kind;  // "mutex", "semaphore", "counting_semaphore", "shared_mutex", "event",
                       // "barrier", "cell", "lock order"
    // Units, parties, bytes of a value, orders there is room for; 0 where the kind has none.
    std::uint64_t size = 0;
    // Units that nobody living holds; the count; 1 if an event is set; phases completed; values
    // written; orders seen.
    std::uint64_t value = 0;
    bool recovered = false;  // its owner died, and nobody has taken the mark back
    // A party of a barrier died or left before it arrived: those who wait are told so.
    bool broken = false;
    std::vector<participant> participants;
    std::string problem;  // its entry cannot be; else empty
};

struct space_member {
    std::uint32_t slot = 0;
    std::uint32_t pid = 0;
};

struct space_status {
    std::string name;
    std::string path;
    unsigned mode = 0;                                // permissions of its file
    std::chrono::system_clock::time_point last_used;  // when a process came or left last
    std::uint64_t size = 0;                           // bytes for primitives
    std::uint64_t used = 0;
    std::uint32_t max_members = 0;
    std::uint32_t max_entries = 0;
    std::vector<space_member> members;  // alive
    std::vector<primitive_status> primitives;
};

// Takes no part in it: no slot, no lock, nothing written. Throws error(ring_not_found,
// no_permission, wrong_version, corrupt, unfinished, ...).
[[nodiscard]] space_status status_of_space(std::string_view name);

}  // namespace ringpipe::sync
