// The group lock, what it guards, and its repair: one group's claims and leases.
#pragma once

#include <optional>

#include "ringpipe/shm/owner_lock.hpp"
#include "ringpipe/shm/segment.hpp"

namespace ringpipe {

// True if that lease holds something of the group's present generation.
inline bool holds_something(const layout::lease& lease, std::uint32_t group,
                            std::uint64_t generation) {
    return lease.group.load(std::memory_order_relaxed) == group &&
           lease.generation.load(std::memory_order_relaxed) == generation &&
           // Acquire: pairs with the release of `end`, written last.
           lease.end.load(std::memory_order_acquire) > lease.begin.load(std::memory_order_acquire);
}

// Of one member; needs the lock held but where it says otherwise. Lockable.
class group_lock {
  public:
    group_lock(const segment& where, std::uint32_t group, layout::member_id me)
        : where_{&where}, index_{group}, lock_{where, where.groups()[group].lock}, me_{me} {}

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

    // released = min(begin of all leases, claim).
    void recompute_released();

    // This slot may hold leases from now on; counts as one of those that share.
    void join(std::uint32_t slot);

    // Hands the rest of the slot's lease back: what nobody has seen, [received, end), as if it had
    // never been claimed, if nothing behind it was; the rest as an orphan for the next who asks.
    void leave(std::uint32_t slot, layout::position received);

    // Moves the first message of the slot's lease, which ends at `end`, to a free slot, as an
    // orphan that is not adopted before that time, and counts the attempt. False: no slot is free;
    // all of the lease waits where it is, and is the slot's own no longer.
    bool park(std::uint32_t slot, layout::position end, deadline not_before);

    // Moves the lease of a member that is dead or has left to `to`, whose own is empty, and counts
    // the attempt. False: there is none, so those who share are all alive.
    bool adopt(std::uint32_t to);

    // At most one member per interval asks who is alive, for all of them.
    bool time_to_look_for_dead(clock::duration now, clock::duration interval);

    // Takes over what a predecessor left in the slot's own lease; false: nothing. Before anything
    // else is leased into it.
    bool adopt_own(std::uint32_t slot);

    // Nobody else holds a lease.
    [[nodiscard]] bool all_acknowledged_but(std::uint32_t slot) const;

    // No lock needed. Wakes producers if they wait for what this group has released. To be called
    // behind an unlock (which is the fence between `released` and the look at who waits).
    void wake_producers() const;

  private:
    // Crash windows: of a claim, between the lease's `end` and `claim` (claim catches up); of an
    // adoption, between the new holder's lease and the end of the old one (two equal leases: the
    // one with fewer attempts goes); of join and leave, bitmap and count (recomputed).
    void repair();
    void repair_or_give_up();

    [[nodiscard]] layout::group& group() const { return where_->groups()[index_]; }
    [[nodiscard]] bool holds(const layout::lease& lease) const;
    template <class Visit>
    void for_each_slot(Visit visit) const;
    void remember(std::uint32_t slot);
    void forget(std::uint32_t slot);
    void recount();
    [[nodiscard]] bool shares(std::uint32_t slot) const;
    [[nodiscard]] std::uint32_t attempts_of(const layout::lease& lease) const;
    void take_over(std::uint32_t from, std::uint32_t to);

    const segment* where_;
    std::uint32_t index_;
    owner_lock lock_;
    layout::member_id me_;
};

}  // namespace ringpipe
