// What a filter writes, into a ring.
#pragma once

#include <cstdint>

#include "pipeline/stage/options.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline::stage {

// The largest payload that the ring takes together with an id, which travels in the message.
[[nodiscard]] inline std::uint64_t most_with_id(const ring& to) {
    return to.max_message_size() - sizeof(std::uint64_t);
}

// To the end of `fd`. What a read brings goes out at once, cut behind its last whole line (or what
// what.frame says): a message of the ring is a run of whole lines of at most what.block bytes, or
// one longer line. Throws error(message_too_large) for a line that can never fit into the ring, and
// error(malformed_input) for an input that ends in the middle of what has a size. False: there was
// nothing to send.
bool send_frames(int fd, const ring& to, producer& out, const options& what);

}  // namespace ringpipe::pipeline::stage
