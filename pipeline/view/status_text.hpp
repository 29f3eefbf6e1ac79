// A ring's status for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/view/bridges.hpp"
#include "shm/status.hpp"

namespace ringpipe::pipeline {

// new (no producer yet) | open (producers are attached) | ended | truncated
[[nodiscard]] std::string_view state_of(const ring_status& status);

[[nodiscard]] std::string_view role_name(member_role role);
[[nodiscard]] std::string_view wish_name(member_wish wish);

// Foreign text on a terminal: control characters become '?'.
[[nodiscard]] std::string printable(std::string_view text);

// Rows under their heads, in columns as wide as they need; those in `right` (of a row) stand
// on the right of theirs. Each line ends with '\n'.
using row = std::vector<std::string>;
[[nodiscard]] std::string table(const std::vector<row>& rows,
                                const std::vector<std::size_t>& right);

[[nodiscard]] std::string to_text(const ring_status& status);
[[nodiscard]] std::string to_text(const std::vector<bridge_seen>& bridges);  // empty if none

}  // namespace ringpipe::pipeline
