// What all copies of a stage have sent, as one stream again.
#pragma once

#include "pipeline/stage/options.hpp"

namespace ringpipe::pipeline::stage {

// From the ring what.from to the ring what.to or standard output. Numbered answers pass once each;
// with keep_order in the order of their questions. Returns an exit code, 128 + SIGPIPE if nobody
// reads standard output any more.
[[nodiscard]] int run_merge(const options& what);

}  // namespace ringpipe::pipeline::stage
