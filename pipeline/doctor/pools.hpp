// What may be wrong with a pool of workers.
#pragma once

#include "pipeline/doctor/finding.hpp"
#include "pipeline/view/observation.hpp"

namespace ringpipe::pipeline {

[[nodiscard]] findings examine_pool(const pool_seen& one);

}  // namespace ringpipe::pipeline
