// A count that one process raises and another lowers: std::counting_semaphore between processes.
//
// Nobody holds anything, so nothing comes back from the dead; and nobody waits for them, since a
// change of the count is one instruction.
#pragma once

#include "ringpipe/sync/deadline_of.hpp"
#include "ringpipe/sync/space_core.hpp"
#include "ringpipe/sync/wait.hpp"

namespace ringpipe::sync {

// Thread-safe.
class counting_semaphore {
  public:
    [[nodiscard]] static constexpr std::uint32_t max() { return 0x7fffffff; }

    // Opens the space's counting semaphore of that name, or makes it with that count to begin
    // with. Throws error(invalid_name | invalid_argument | options_differ | names_full | no_space).
    counting_semaphore(const space& where, std::string_view name, std::uint32_t initial);
    // Opens one that is there. Throws error(not_found).
    counting_semaphore(const space& where, std::string_view name);
    counting_semaphore(const counting_semaphore&) = delete;
    counting_semaphore& operator=(const counting_semaphore&) = delete;

    void acquire() { (void)take_until(never); }
    [[nodiscard]] bool try_acquire() { return take_until(deadline::min()); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_acquire_for(std::chrono::duration<Rep, Period> timeout) {
        return take_until(after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_acquire_until(std::chrono::time_point<Clock, Duration> until) {
        return take_until(deadline_of(until));
    }
    // Throws error(invalid_argument) if the count would exceed max().
    void release(std::uint32_t update = 1);

    // As of now.
    [[nodiscard]] std::uint32_t count() const {
        return body_->count.load(std::memory_order_relaxed);
    }

  private:
    bool take() {
        auto seen = body_->count.load(std::memory_order_relaxed);
        // Acquire: pairs with the release in release().
        while (seen != 0 &&
               !body_->count.compare_exchange_weak(seen, seen - 1, std::memory_order_acquire,
                                                   std::memory_order_relaxed)) {}
        return seen != 0;
    }
    bool take_until(deadline until) {
        (void)core_->id();  // not in a forked child
        return take() || wait_until(body_->waiting, *core_, until, [this](look) { return take(); });
    }

    std::shared_ptr<space_core> core_;
    layout::counting_semaphore_body* body_;
};

}  // namespace ringpipe::sync
