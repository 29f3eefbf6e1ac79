// Two raw atomics between two cores: the fastest that a round trip can be, and the thermometer of
// the machine. On some (virtual) machines its round trip jumps between two values within minutes,
// and all else with it, so each measurement has a probe before and after it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "bench/round_trip.hpp"

namespace ringpipe::bench {

struct raw_atomics {
    alignas(128) std::atomic<std::uint64_t> ping{0};  // written by the first side only
    alignas(128) std::atomic<std::uint64_t> pong{0};  // written by the second side only

    static constexpr std::uint64_t last_mark = std::uint64_t{1} << 63U;

    [[nodiscard]] latency call(const trip_plan& plan) {
        // Numbers go on where the last call ended, so that nothing has to be reset.
        const auto base = (pong.load(std::memory_order_relaxed) & ~last_mark) + 1;
        return time_round_trips(plan, [&](std::uint64_t number, bool last) {
            const auto mine = (base + number) | (last ? last_mark : 0);
            ping.store(mine, std::memory_order_release);
            while (pong.load(std::memory_order_acquire) != mine) {}
        });
    }

    void answer() {
        auto seen = pong.load(std::memory_order_relaxed);
        do {
            auto next = seen;
            while ((next = ping.load(std::memory_order_acquire)) == seen) {}
            pong.store(next, std::memory_order_release);
            seen = next;
        } while ((seen & last_mark) == 0);
    }
};

inline constexpr trip_plan probe_plan{.warm_up = 1000,
                                      .warm_up_at_most = std::chrono::milliseconds{1},
                                      .time = std::chrono::milliseconds{6},
                                      .most = std::size_t{1} << 17U};

enum class regime { near, far, mixed };

constexpr const char* name_of(regime which) {
    switch (which) {
        case regime::near: return "near";
        case regime::far: return "far";
        case regime::mixed: break;
    }
    return "mixed";
}

// Mixed: the machine changed while we measured; such a measurement says nothing.
[[nodiscard]] inline regime regime_of(double before_ns, double after_ns, double far_above_ns) {
    const auto [least, most] = std::minmax(before_ns, after_ns);
    if (least <= 0 || most > 1.3 * least) { return regime::mixed; }
    if (most <= far_above_ns) { return regime::near; }
    return least > far_above_ns ? regime::far : regime::mixed;
}

}  // namespace ringpipe::bench
