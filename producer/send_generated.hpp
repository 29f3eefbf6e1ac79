// Sends numbered, checksummed messages, for `ringpipe-consumer --verify`.
#pragma once

#include "common/generate.hpp"
#include "producer/outlet.hpp"

namespace ringpipe::producer_program {

// False: cut short by a signal.
[[nodiscard]] bool send_generated(const generate_options& what, outlet& to);

}  // namespace ringpipe::producer_program
