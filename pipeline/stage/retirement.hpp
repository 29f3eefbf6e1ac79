// A copy that is not needed any more, since its stage was scaled down, and leaves without a loss.
#pragma once

#include <csignal>

#include "shm/consumer.hpp"

namespace ringpipe::pipeline::stage {

// What the launcher sends to a copy, and not to its filter. A copy that is not yet ready for it is
// killed by it, and has taken nothing.
inline constexpr int retirement_signal = SIGUSR1;

// For the process, from here on; before it joins a ring.
void await_retirement();

// From then on nothing more is taken from the ring; what was taken is worked on to its end.
[[nodiscard]] bool retired() noexcept;

// Waits for something to do, which stays at hand. False: nothing comes any more, or not for us.
[[nodiscard]] bool wait_for_work(consumer& in);

}  // namespace ringpipe::pipeline::stage
