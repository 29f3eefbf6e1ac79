// The whole job of ringpipe-consumer.
#pragma once

#include "consumer/options.hpp"

namespace ringpipe::consumer_program {

// Returns the exit code.
[[nodiscard]] int consume(const options& with);

}  // namespace ringpipe::consumer_program
