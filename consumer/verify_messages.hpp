// Verifies generated messages instead of writing them.
#pragma once

#include <string_view>

#include "consumer/intake.hpp"
#include "consumer/verifier.hpp"
#include "shm/ring.hpp"

namespace ringpipe::consumer_program {

// To be asked before joining: whether a consumer that joins now gets the first message ever sent.
[[nodiscard]] bool begins_at_the_beginning(const ring& where, const consumer_options& with);

void verify_messages(intake& from, const ring& where, std::string_view group, verifier& with);

}  // namespace ringpipe::consumer_program
