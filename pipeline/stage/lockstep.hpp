// A filter that answers each line with one line.
#pragma once

#include "pipeline/stage/options.hpp"

namespace ringpipe::pipeline::stage {

// A message is acknowledged when the answers to all of its lines are in the next ring, as one
// message that carries its number. Killed between the two, the next copy answers it once more, and
// the merge behind drops the second answer by that number. Returns the filter's exit code. Throws
// error(malformed_input) if the filter gives too few answers, or too many.
[[nodiscard]] int run_lockstep(const options& what);

}  // namespace ringpipe::pipeline::stage
