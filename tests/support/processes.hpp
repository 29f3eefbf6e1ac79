// What a process or a thread has come to: asleep, or ended.
#pragma once

#include <sys/types.h>

#include <chrono>

namespace ringpipe::test {

// Waits until the thread (of any process; a process's id is that of its first one) is in a system
// call that blocks.
[[nodiscard]] bool falls_asleep(pid_t thread);

// Whether it is over by then, reaped or not. Of a child of ours.
[[nodiscard]] bool ends_within(std::chrono::milliseconds timeout, pid_t process);

}  // namespace ringpipe::test
