// Writes messages, and acknowledges them after that.
#pragma once

#include <string>

#include "common/framing.hpp"
#include "consumer/intake.hpp"

namespace ringpipe::consumer_program {

// `name` is how errors call the output. What a reader that went away left unwritten stays
// unacknowledged, to the message.
void write_messages(intake& from, int fd, const framing& how, const std::string& name);

}  // namespace ringpipe::consumer_program
