// From `ringpipe run 'A' '4x B' 'C'`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/run/stage_plan.hpp"

namespace ringpipe::pipeline {

// Command, copies and counted, from "4x CMD" or "CMD". Throws error(invalid_argument).
[[nodiscard]] stage_plan parse_stage(std::string_view text);

// Each stage reads the ring that the one before it fills. What `common` says counts for all; its
// lockstep, keep_order and restarts for those with a count.
[[nodiscard]] run_plan plan_of_line(const std::vector<stage_plan>& stages, const stage_plan& common,
                                    const std::string& name);

}  // namespace ringpipe::pipeline
