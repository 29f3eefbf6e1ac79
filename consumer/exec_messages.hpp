// Runs a command for each message; what it succeeds with is acknowledged.
#pragma once

#include "consumer/intake.hpp"
#include "consumer/options.hpp"

namespace ringpipe::consumer_program {

// A message with which the command fails is tried again, later and later, for as many attempts as
// the group's consumers may make; then it goes to the dead letters.
void exec_messages(intake& from, const options& with);

}  // namespace ringpipe::consumer_program
