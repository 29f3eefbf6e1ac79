// A point of any clock as ringpipe's own kind of deadline.
#pragma once

#include <chrono>
#include <type_traits>

#include "ringpipe/common/deadline.hpp"

namespace ringpipe::sync {

template <class Clock, class Duration>
[[nodiscard]] deadline deadline_of(std::chrono::time_point<Clock, Duration> until) {
    if constexpr (std::is_same_v<Clock, clock>) {
        return std::chrono::time_point_cast<clock::duration>(until);
    } else {
        const auto now = Clock::now();
        return until > now ? after(until - now) : deadline::min();
    }
}

}  // namespace ringpipe::sync
