// What may be wrong with a ring.
#pragma once

#include "pipeline/doctor/finding.hpp"
#include "pipeline/view/observation.hpp"

namespace ringpipe::pipeline {

// At two moments, so that what stands still is seen. Reads every message that is there, as a tap.
[[nodiscard]] findings examine_ring(const ring_seen& before, const ring_seen& now);

}  // namespace ringpipe::pipeline
