// Lines from a descriptor into a ring.
#pragma once

#include "pipeline/stage/options.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline::stage {

// To the end of `fd`. What a read brings goes out at once, cut behind its last line: a message is a
// run of whole lines of at most what.block bytes, or one longer line. Throws
// error(message_too_large) for a line that can never fit into the ring.
void send_lines(int fd, const ring& to, producer& out, const options& what);

}  // namespace ringpipe::pipeline::stage
