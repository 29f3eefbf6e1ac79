// When a blocking call gives up: a point of the monotonic clock, or never.
#pragma once

#include <chrono>

namespace ringpipe {

using clock = std::chrono::steady_clock;
using deadline = clock::time_point;

inline constexpr deadline never = deadline::max();

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
