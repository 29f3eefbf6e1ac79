// The command that starts one copy of a part.
#pragma once

#include <cstddef>
#include <string>

#include "pipeline/child.hpp"
#include "pipeline/run/links.hpp"
#include "pipeline/run/plan.hpp"

namespace ringpipe::pipeline {

// "stage 2", or "stage 2.1" of several.
[[nodiscard]] std::string name_of_copy(const part& what, std::size_t number);

[[nodiscard]] shell_command stage_process(const part& what, std::size_t number, const links& rings);

}  // namespace ringpipe::pipeline
