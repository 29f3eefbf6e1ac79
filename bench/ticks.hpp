// The cheapest clock there is: the cost of reading it is part of every round trip we time.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace ringpipe::bench {

inline std::uint64_t ticks() {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// Measured at the first call, which takes 20 ms: call it once before the first fork.
inline double nanoseconds_per_tick() {
    static const double measured = [] {
        using clock = std::chrono::steady_clock;
        const auto from = clock::now();
        const auto first = ticks();
        while (clock::now() - from < std::chrono::milliseconds{20}) {}
        const auto last = ticks();
        const std::chrono::duration<double, std::nano> passed = clock::now() - from;
        return passed.count() / static_cast<double>(last - first);
    }();
    return measured;
}

inline std::uint64_t ticks_in(std::chrono::nanoseconds time) {
    return static_cast<std::uint64_t>(static_cast<double>(time.count()) / nanoseconds_per_tick());
}

inline double nanoseconds(std::uint64_t count) {
    return static_cast<double>(count) * nanoseconds_per_tick();
}

}  // namespace ringpipe::bench
