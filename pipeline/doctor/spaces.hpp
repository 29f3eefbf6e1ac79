// What may be wrong with a space of locks and the like.
#pragma once

#include "pipeline/doctor/finding.hpp"
#include "pipeline/view/observation.hpp"

namespace ringpipe::pipeline {

[[nodiscard]] findings examine_space(const space_seen& one);

}  // namespace ringpipe::pipeline
