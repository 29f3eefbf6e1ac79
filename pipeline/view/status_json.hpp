// The status of a ring, a space, a pool for programs. The names of the keys are part of the interface.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "pipeline/view/flow.hpp"
#include "pool/status.hpp"
#include "shm/status.hpp"
#include "sync/status.hpp"

namespace ringpipe::pipeline {

[[nodiscard]] nlohmann::ordered_json to_json(const ring_status& status);
[[nodiscard]] nlohmann::ordered_json to_json(const bridge_seen& bridge);

// With what flows, and what only a look at the processes tells.
[[nodiscard]] nlohmann::ordered_json to_json(const ring_seen& ring, const ring_flow& flow);

[[nodiscard]] nlohmann::ordered_json to_json(const sync::space_status& status);
[[nodiscard]] nlohmann::ordered_json to_json(const pool::pool_outline& outline);

// The text, indented. What is not UTF-8 (a damaged segment) is replaced, never an error.
[[nodiscard]] std::string dump(const nlohmann::ordered_json& json);
[[nodiscard]] std::string dump_on_one_line(const nlohmann::ordered_json& json);

}  // namespace ringpipe::pipeline
