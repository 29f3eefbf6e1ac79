// A mutex between processes that survives its owner.
//
// Models Lockable and TimedLockable: std::lock_guard, std::unique_lock, std::lock hold it. Free to
// mine is one compare-exchange, mine to free another; neither makes a system call unless somebody
// else holds it, or waits. Not recursive.
#pragma once

#include "ringpipe/shm/owner_lock.hpp"
#include "ringpipe/sync/deadline_of.hpp"
#include "ringpipe/sync/lock_order.hpp"
#include "ringpipe/sync/space_core.hpp"

namespace ringpipe::sync {

// Thread-safe. Threads of one process exclude each other, too; but only the end of the process (or
// of its handle of the space) gives back what it holds, not the end of a thread.
class mutex {
  public:
    // Opens the space's mutex of that name, or makes it. Throws error(invalid_name | options_differ
    // | names_full | no_space).
    mutex(const space& where, std::string_view name);
    mutex(const mutex&) = delete;
    mutex& operator=(const mutex&) = delete;

    // If the owner has died, it is ours within a liveness interval, and recovered() says so.
    void lock() { (void)lock_until(never); }
    // Does not wait, but asks whether the owner is alive.
    [[nodiscard]] bool try_lock() { return lock_until(deadline::min()); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> timeout) {
        return lock_until(after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> until) {
        return lock_until(deadline_of(until));
    }
    // In a forked child it does nothing: the lock is the parent's. Throws error(presence_lost) if
    // the lock is not ours (any more); out of a lock_guard that ends the program, as it should: what
    // the mutex guards is being changed by two.
    void unlock() {
        if (core_->forked()) [[unlikely]] { return; }
        word_.unlock(core_->id());
        if (auto* order = core_->order()) [[unlikely]] { order->unlocked(index_); }
    }

    // True from the death of an owner until mark_consistent(): what the mutex guards may be half
    // changed. Ask it while holding the lock.
    [[nodiscard]] bool recovered() const {
        return body_->inconsistent.load(std::memory_order_relaxed) != 0;
    }
    // What the mutex guards is in order again. Call it while holding the lock.
    void mark_consistent() { body_->inconsistent.store(0, std::memory_order_relaxed); }

  private:
    bool lock_until(deadline until) {
        auto* const order = core_->order();
        if (order != nullptr) [[unlikely]] { order->about_to_lock(index_, until); }
        const auto result = word_.try_lock_until(core_->id(), until);
        // The mark is set by whoever takes the lock from the dead: if he dies before it, the
        // next one takes it from him.
        if (result == lock_result::recovered) [[unlikely]] {
            body_->inconsistent.store(1, std::memory_order_relaxed);
        }
        const bool locked = result != lock_result::timed_out;
        if (order != nullptr && locked) [[unlikely]] { order->locked(index_); }
        return locked;
    }

    mutex(const space& where, const place& found);

    std::shared_ptr<space_core> core_;
    std::uint32_t index_;
    layout::mutex_body* body_;
    owner_lock word_;
};

}  // namespace ringpipe::sync
