// A reader-writer lock between processes: many readers or one writer, and none of them dead.
//
// Models SharedLockable and SharedTimedLockable: std::unique_lock writes, std::shared_lock reads.
// Each process counts its readers on a line of its own, so readers don't disturb each other: a
// shared lock is one compare-exchange there and a look at the writer's word (the distributed
// reader count is that of "big reader" locks, as in Linux' former brlock). A writer takes the
// word, which keeps new readers out, so it never starves, and waits until all counts are 0. A
// reader that meets a writer queues for the same word, as one more writer would, and writers that
// come later let the first such reader pass, so they don't starve it either.
#pragma once

#include "ringpipe/shm/owner_lock.hpp"
#include "ringpipe/sync/deadline_of.hpp"
#include "ringpipe/sync/lock_order.hpp"
#include "ringpipe/sync/space_core.hpp"
#include "ringpipe/sync/wait.hpp"

namespace ringpipe::sync {

// Thread-safe. Holds belong to the process, as with mutex. Not recursive in any mixture.
class shared_mutex {
  public:
    // Opens the space's shared_mutex of that name, or makes it. Throws error(invalid_name |
    // options_differ | names_full | no_space).
    shared_mutex(const space& where, std::string_view name);
    shared_mutex(const shared_mutex&) = delete;
    shared_mutex& operator=(const shared_mutex&) = delete;

    // One writer.
    void lock() { (void)lock_until(never); }
    [[nodiscard]] bool try_lock() { return lock_until(deadline::min()); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> timeout) {
        return lock_until(after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> until) {
        return lock_until(deadline_of(until));
    }
    // In a forked child it does nothing. Throws error(presence_lost) if it is not ours (any more).
    void unlock();

    // Many readers.
    void lock_shared() { (void)lock_shared_until(never); }
    [[nodiscard]] bool try_lock_shared() { return lock_shared_until(deadline::min()); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_shared_for(std::chrono::duration<Rep, Period> timeout) {
        return lock_shared_until(after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_shared_until(std::chrono::time_point<Clock, Duration> until) {
        return lock_shared_until(deadline_of(until));
    }
    // In a forked child it does nothing. Throws error(not_held) if this process holds no share.
    void unlock_shared();

    // True from the death of a writer at work until mark_consistent(): what is guarded may be half
    // changed. Ask it while holding the lock, shared or not; mark it while holding it as a writer.
    [[nodiscard]] bool recovered() const {
        return body_->inconsistent.load(std::memory_order_relaxed) != 0;
    }
    void mark_consistent() { body_->inconsistent.store(0, std::memory_order_relaxed); }

  private:
    shared_mutex(const space& where, const place& found);

    bool lock_until(deadline until) {
        return in_order(until, [&] { return write_lock_until(until); });
    }
    bool lock_shared_until(deadline until) {
        return in_order(until, [&] { return read_lock_until(until); });
    }
    // With the debug mode around it, if that is on.
    template <class Lock>
    bool in_order(deadline until, Lock lock_it) {
        auto* const order = core_->order();
        if (order == nullptr) [[likely]] { return lock_it(); }
        order->about_to_lock(index_, until);
        const bool locked = lock_it();
        if (locked) { order->locked(index_); }
        return locked;
    }
    bool write_lock_until(deadline until);
    bool read_lock_until(deadline until);
    bool take_writer_word(layout::member_id me, deadline until);
    void let_a_reader_in(deadline until);
    void count_in(layout::member_id me);
    bool enter(layout::member_id me);
    void leave(layout::member_id me);
    [[nodiscard]] bool all_readers_are_out(look how);

    std::shared_ptr<space_core> core_;
    std::uint32_t index_;
    layout::shared_mutex_body* body_;
    std::span<layout::reader> readers_;
    owner_lock word_;
};

}  // namespace ringpipe::sync
