// The tail lock, what it guards, and its repair: the appending side of the ring.
#pragma once

#include "ringpipe/shm/owner_lock.hpp"
#include "ringpipe/shm/segment.hpp"

namespace ringpipe {

// Of one member. Lockable, so that std's guards hold it. The members below lock() need it held.
class append_lock {
  public:
    append_lock(const segment& where, layout::member_id me)
        : where_{&where}, lock_{where, where.append().lock}, me_{me} {}

    [[nodiscard]] bool try_lock_until(deadline until) {
        const auto result = lock_.try_lock_until(me_, until);
        if (result == lock_result::recovered) [[unlikely]] { repair_or_give_up(); }
        return result != lock_result::timed_out;
    }
    [[nodiscard]] bool try_lock() { return try_lock_until(deadline::min()); }
    // Throws error(timed_out): see owner_lock::lock().
    void lock() {
        if (lock_.lock(me_) == lock_result::recovered) [[unlikely]] { repair_or_give_up(); }
    }
    void unlock() { lock_.unlock(me_); }

    // Makes room for a message that is to end, with the header behind it, at `end`. Looks at the
    // groups; takes no lock. False: there is none, or somebody else is first in line.
    [[nodiscard]] bool make_room(layout::position end);

    // What the dead have left half-written at or behind `from`: busy messages whose producer is
    // gone become discarded. Stops at `most` bytes.
    void discard_dead(layout::position from, std::uint64_t most);

  private:
    // Crash windows of an append: before its commit point nothing has happened, and the header at
    // `tail` is 0; behind it, the message is there and `tail` may not know it yet. So: walk over
    // every header that is not 0 (one message, or one batch). Recomputes only, so it may die and be
    // repeated.
    void repair();
    void repair_or_give_up();

    const segment* where_;
    owner_lock lock_;
    layout::member_id me_;
};

// The least `released` of all groups; `otherwise` if there is no group.
layout::position least_released(const segment& where, layout::position otherwise);

}  // namespace ringpipe
