// A pause that a stop signal ends.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>

#include "common/deadline.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::pipeline {

// False: a stop was requested before. Needs install_stop_signals().
[[nodiscard]] inline bool nap_until(deadline due) {
    while (!stop_requested()) {
        const auto left = due - clock::now();
        if (left <= left.zero()) { return true; }
        // To the nanosecond, as replay wants it; not longer than a second, since a signal may come
        // just before.
        const auto part = std::min<clock::duration>(left, std::chrono::seconds{1});
        const timespec time{part / std::chrono::seconds{1},
                            (part % std::chrono::seconds{1}) / std::chrono::nanoseconds{1}};
        (void)::ppoll(nullptr, 0, &time, nullptr);
    }
    return false;
}

}  // namespace ringpipe::pipeline
