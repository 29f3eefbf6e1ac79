// The bridges among a ring's members, and what they tell about themselves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bridge/note.hpp"
#include "pipeline/view/process.hpp"
#include "shm/status.hpp"

namespace ringpipe::pipeline {

struct bridge_seen {
    std::uint32_t slot = 0;  // of its member
    std::uint32_t pid = 0;
    bridge::bridge_state state;
};

// Those that may be looked at.
[[nodiscard]] std::vector<bridge_seen> bridges_of(const ring_status& status, process_reader& by);

// "connected for 5 s", "reconnecting for 5 s"
[[nodiscard]] std::string connection_of(const bridge::bridge_state& state);

}  // namespace ringpipe::pipeline
