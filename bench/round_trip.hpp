// Times round trips, one by one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "bench/statistics.hpp"
#include "bench/ticks.hpp"

namespace ringpipe::bench {

struct latency {  // nanoseconds
    double p50 = 0;
    double p99 = 0;
    double p999 = 0;
    double max = 0;
    std::uint64_t trips = 0;  // that were timed
    std::uint64_t all = 0;    // with the warm-up
};

struct trip_plan {
    std::uint64_t warm_up = 0;  // trips: so many that all memory has been touched; or until
    std::chrono::nanoseconds warm_up_at_most{};
    std::chrono::nanoseconds time{};
    std::size_t most = std::size_t{1} << 22U;  // samples; enough for a second of the fastest
    std::chrono::nanoseconds pause{};          // between trips; from 100 us on, asleep
};

inline void pause_for(std::chrono::nanoseconds time) {
    if (time >= std::chrono::microseconds{100}) { return std::this_thread::sleep_for(time); }
    const auto until = ticks() + ticks_in(time);
    while (ticks() < until) {}
}

// Calls trip(number, is_last) for number 0, 1, 2, ... until the time is over.
template <class Trip>
[[nodiscard]] latency time_round_trips(const trip_plan& plan, Trip&& trip) {
    std::vector<std::uint32_t> samples(plan.most, 1);  // touched: no page fault while we time
    std::size_t count = 0;

    auto before = ticks();
    const auto warm_at = before + ticks_in(plan.warm_up_at_most);
    auto over_at = ~std::uint64_t{0};
    std::uint64_t all = 0;
    bool warm = false;
    bool last = false;
    for (std::uint64_t number = 0; !last; ++number) {
        if (!warm && (number >= plan.warm_up || before >= warm_at)) {
            warm = true;
            over_at = before + ticks_in(plan.time);
        }
        last = before >= over_at || count == samples.size();
        trip(number, last);
        const auto now = ticks();
        if (warm && !last) {
            samples[count++] = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(now - before, std::numeric_limits<std::uint32_t>::max()));
        }
        before = now;
        ++all;
        if (plan.pause.count() != 0) {
            pause_for(plan.pause);
            before = ticks();
        }
    }

    samples.resize(count);
    const auto at = [&](double share) { return nanoseconds(quantile(samples, share)); };
    const auto p50 = median_between_steps(samples) * nanoseconds_per_tick();
    return {p50, at(0.99), at(0.999), at(1), count, all};
}

}  // namespace ringpipe::bench
