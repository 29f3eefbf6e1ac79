// When a blocking call gives up: a point of the monotonic clock, or never.
#pragma once

#include <chrono>

namespace ringpipe {

using clock = std::chrono::steady_clock;
using deadline = clock::time_point;

inline constexpr deadline never = deadline::max();

// Now, and only what can be had by a few instructions: for the thread of an event loop. The try_
// forms (deadline::min()) never sleep either, but ask who is alive and repair what the dead left.
inline constexpr deadline at_once = deadline::min() + clock::duration{1};

// `timeout` from now; never, if that lies beyond what the clock can say.
template <class Rep, class Period>
[[nodiscard]] deadline after(std::chrono::duration<Rep, Period> timeout) {
    const auto now = clock::now();
    // In floating point: the longest of other units overflows when it is told in nanoseconds.
    using seconds = std::chrono::duration<double>;
    if (seconds{timeout} >= seconds{never - now}) { return never; }
    return now + std::chrono::ceil<clock::duration>(timeout);
}

}  // namespace ringpipe
