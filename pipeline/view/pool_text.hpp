// A pool of worker processes for people.
#pragma once

#include <string>
#include <string_view>

#include "pool/status.hpp"

namespace ringpipe::pipeline {

// open | abandoned (its owner was killed) | broken (no worker could start)
[[nodiscard]] std::string_view state_of(const pool::pool_outline& one);

// "at work for 1.5 s" or "idle".
[[nodiscard]] std::string state_of(const pool::worker_status& one);

[[nodiscard]] std::string to_text(const pool::pool_outline& outline);

}  // namespace ringpipe::pipeline
