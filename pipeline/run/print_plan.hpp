// What would be started: `ringpipe run --print`.
#pragma once

#include <string>

#include "pipeline/run/plan.hpp"

namespace ringpipe::pipeline {

[[nodiscard]] std::string print_plan(const run_plan& plan);

}  // namespace ringpipe::pipeline
