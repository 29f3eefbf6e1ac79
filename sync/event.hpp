// An event between processes: set until it is cleared, and all who wait for it go on.
//
// Nobody holds it, so a death changes nothing; who is killed between setting and waking costs the
// waiters one liveness interval.
#pragma once

#include "ringpipe/sync/deadline_of.hpp"
#include "ringpipe/sync/space_core.hpp"

namespace ringpipe::sync {

// Thread-safe.
class event {
  public:
    // Opens the space's event of that name, or makes it, clear. Throws error(invalid_name |
    // options_differ | names_full | no_space).
    event(const space& where, std::string_view name);
    event(const event&) = delete;
    event& operator=(const event&) = delete;

    void set();
    void clear();
    [[nodiscard]] bool is_set() const {
        // Acquire: pairs with set(), so that what was done before it is seen.
        return (body_->changes.load(std::memory_order_acquire) & 1U) != 0;
    }

    // Who waits sees every set(), also one that is followed by clear() at once.
    void wait() { (void)wait_to(never); }
    // False if it was not set until then.
    template <class Rep, class Period>
    [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> timeout) {
        return wait_to(after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool wait_until(std::chrono::time_point<Clock, Duration> until) {
        return wait_to(deadline_of(until));
    }

  private:
    bool wait_to(deadline until);

    std::shared_ptr<space_core> core_;
    layout::event_body* body_;
};

}  // namespace ringpipe::sync
