// Sends what files contain, cut into messages.
#pragma once

#include <string>

#include "common/unique_fd.hpp"
#include "producer/options.hpp"
#include "producer/outlet.hpp"

namespace ringpipe::producer_program {

// All of with.files, one behind the other, but for what was sent already under with.resume; the
// first is open already. A last line without its end is a message all the same. False: cut short
// by a signal.
[[nodiscard]] bool send_files(const options& with, unique_fd first, outlet& to);

}  // namespace ringpipe::producer_program
