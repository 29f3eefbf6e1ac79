// The short, bounded wait before a sleep.
#pragma once

#include <algorithm>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/cpu.hpp"
#include "ringpipe/shm/ring.hpp"

namespace ringpipe {

// A futex wake costs tens of microseconds: whoever will be needed within that long had better stay
// up. But where spinning never pays (one processor; a message a second), it soon spins for a
// microsecond only, and tries the full time again now and then.
class spinner {
  public:
    explicit spinner(wait_strategy strategy) : strategy_{strategy} {}

    [[nodiscard]] wait_strategy strategy() const { return strategy_; }

    // True once `found()` is; false after the strategy's time, or at `until`.
    template <class Found>
    bool wait_until(deadline until, Found found) {
        if (found()) { return true; }
        if (strategy_ == wait_strategy::block) { return false; }
        const bool success =
            strategy_ == wait_strategy::spin ? spin(until, found) : spin(next_stop(until), found);
        if (success) {
            budget_ = longest;
        } else {
            budget_ = std::max(budget_ / 2, shortest);
        }
        return success;
    }

  private:
    static constexpr std::chrono::nanoseconds longest{50'000};
    static constexpr std::chrono::nanoseconds shortest{1'000};
    static constexpr unsigned full_time_every = 64;

    deadline next_stop(deadline until) {
        if (++waits_ % full_time_every == 0) { budget_ = longest; }
        return std::min<deadline>(until, clock::now() + budget_);
    }

    template <class Found>
    static bool spin(deadline stop, Found found) {
        // An answer comes within a microsecond or two: until then, look without a pause.
        constexpr int eager_looks = 1000;
        for (int i = 0; i < eager_looks; ++i) {
            if (found()) { return true; }
        }
        // The clock costs as much as many looks: a while without it.
        constexpr int looks_per_clock = 16;
        do {
            for (int i = 0; i < looks_per_clock; ++i) {
                if (found()) { return true; }
                cpu_relax();
            }
        } while (clock::now() < stop);
        return found();
    }

    wait_strategy strategy_;
    std::chrono::nanoseconds budget_{longest};
    unsigned waits_ = 0;
};

}  // namespace ringpipe
