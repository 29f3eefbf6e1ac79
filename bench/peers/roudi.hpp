// RouDi, the daemon without which no process can use iceoryx.
#pragma once

namespace ringpipe::bench {

// Starts one in a process of its own, on any core, and returns when it is ready. Throws
// std::runtime_error if it does not start; one machine can have only one.
void start_roudi();

void stop_roudi();

}  // namespace ringpipe::bench
