// From `ringpipe run -f pipeline.toml`.
#pragma once

#include <string>
#include <string_view>

#include "pipeline/run/plan.hpp"

namespace ringpipe::pipeline {

// Throws error(input_not_found | io | malformed_input); what is wrong in the file is said with its
// name, line and key. No cycle, and every ring is read and written.
[[nodiscard]] run_plan plan_of_file(const std::string& path);

[[nodiscard]] run_plan plan_of_toml(std::string_view text, const std::string& path);

}  // namespace ringpipe::pipeline
