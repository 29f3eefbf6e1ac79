// The whole job of ringpipe-producer.
#pragma once

#include "producer/options.hpp"

namespace ringpipe::producer_program {

// Returns the exit code. Whatever ends it before the end of the input (an error, a signal)
// marks the stream as truncated.
[[nodiscard]] int produce(const options& with);

}  // namespace ringpipe::producer_program
