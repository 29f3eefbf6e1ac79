// What a ring looks like from outside, in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ringpipe {

enum class group_kind {
    durable,    // keeps its place, and holds producers back, while nobody is in it
    ephemeral,  // gone with its last member
};

enum class member_role { producer, consumer, tool };

enum class member_wish { nothing, room, messages };

struct group_status {
    std::string name;
    group_kind kind = group_kind::durable;
    std::uint32_t members = 0;       // alive
    std::uint64_t lag_messages = 0;  // sent, and not yet leased to anybody
    std::uint64_t lag_bytes = 0;     // sent, and not yet acknowledged
    std::uint64_t redelivered = 0;
};

struct member_status {
    std::uint32_t slot = 0;
    member_role role = member_role::tool;
    bool alive = false;
    std::uint32_t pid = 0;  // as its own PID namespace numbers it
    std::string name;
    std::string group;  // consumers only
    std::uint64_t leased_bytes = 0;
    std::uint64_t messages = 0;                    // sent, or leased, since it attached
    member_wish waits_for = member_wish::nothing;  // asleep until there is some
};

struct ring_status {
    std::string name;
    std::string path;
    std::uint64_t capacity = 0;
    unsigned mode = 0;                                // permissions of its file
    std::chrono::system_clock::time_point last_used;  // when a member came or left last
    std::uint64_t used_bytes = 0;
    std::uint64_t messages = 0;   // ever sent
    std::uint64_t bytes = 0;      // ever sent, with headers
    std::uint32_t producers = 0;  // alive
    std::uint32_t consumers = 0;  // alive
    bool ended = false;           // no producer, and there has been one
    bool truncated = false;
    std::uint32_t dead_letters_dropped = 0;  // found no room in the dead-letter ring
    std::vector<group_status> groups;
    std::vector<member_status> members;
};

}  // namespace ringpipe
