// Lines pass through the filter as they come.
#pragma once

#include "pipeline/stage/options.hpp"

namespace ringpipe::pipeline::stage {

// A message is acknowledged when the filter has taken it. Returns the filter's exit code; 0 if
// there is no command and the lines only pass. Throws error.
[[nodiscard]] int run_bulk(const options& what);

}  // namespace ringpipe::pipeline::stage
