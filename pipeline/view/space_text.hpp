// A space for people.
#pragma once

#include <string>

#include "sync/status.hpp"

namespace ringpipe::pipeline {

// "free", "held, RECOVERED", "2 of 3 free", "phase 7, 1 of 4 arrived", "64 B, 12 writes", ...
[[nodiscard]] std::string state_of(const sync::primitive_status& one);

// "4711, 4712 (dead)", "4711 reads twice": who has to do with it; empty if nobody.
[[nodiscard]] std::string participants_of(const sync::primitive_status& one);

// Somebody is waited for who is dead, or what is guarded may be half changed.
[[nodiscard]] bool wants_attention(const sync::primitive_status& one);

[[nodiscard]] std::string to_text(const sync::space_status& status);

}  // namespace ringpipe::pipeline
