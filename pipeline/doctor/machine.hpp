// Whether this machine, or container, has what rings need.
#pragma once

#include "pipeline/doctor/finding.hpp"

namespace ringpipe::pipeline {

[[nodiscard]] findings examine_machine();

}  // namespace ringpipe::pipeline
