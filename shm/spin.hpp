// The short, bounded wait before a sleep.
#pragma once

#include <sched.h>

#include "common/deadline.hpp"
#include "shm/cpu.hpp"
#include "shm/ring.hpp"

namespace ringpipe {

// A futex wake costs tens of microseconds: whoever will be needed within that long had better stay up.
inline constexpr std::chrono::microseconds longest_spin{50};

// With one processor the one we wait for cannot run while we spin.
inline bool spinning_pays() {
    static const bool several = [] {
        cpu_set_t set;
        return ::sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
    }();
    return several;
}

// True once `found()` is; false after the strategy's time, or at `until`.
template <class Found>
bool spin_until(wait_strategy strategy, deadline until, Found found) {
    if (found()) { return true; }
    if (strategy == wait_strategy::block ||
        (strategy == wait_strategy::adaptive && !spinning_pays())) {
        return false;
    }
    // The clock costs as much as many looks: a while without it.
    constexpr int looks_per_clock = 64;
    const auto start = clock::now();
    const auto stop =
        strategy == wait_strategy::spin ? until : std::min<deadline>(until, start + longest_spin);
    do {
        for (int i = 0; i < looks_per_clock; ++i) {
            if (found()) { return true; }
            cpu_relax();
        }
    } while (clock::now() < stop);
    return found();
}

}  // namespace ringpipe
