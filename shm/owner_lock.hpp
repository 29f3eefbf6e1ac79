// A lock that names its owner, so that the living can take it from the dead.
//
// The word is 0, or the owner's member_id, and bit 31 "someone waits". Free -> mine is one
// compare-exchange, mine -> free another; who finds it taken spins shortly, sleeps a few
// milliseconds at a time, and then asks whether that owner is alive. If not, a compare-exchange
// from the dead owner's exact word takes the lock over, and the result says so: the new owner
// has to repair what the lock guards before anybody else sees it. If he dies in that, the word
// names him, and the next one starts the same repair again.
#pragma once

#include <atomic>
#include <cstdint>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/layout.hpp"
#include "ringpipe/shm/roster.hpp"

namespace ringpipe {

enum class lock_result {
    timed_out,
    acquired,
    recovered,  // from a dead owner: repair first
};

class owner_lock {
  public:
    owner_lock(const roster& where, std::atomic<std::uint32_t>& word)
        : where_{&where}, word_{&word} {}

    [[nodiscard]] lock_result try_lock_until(layout::member_id me, deadline until) {
        std::uint32_t free = 0;
        // Acquire: pairs with the release in unlock(), so that we see what the last owner wrote.
        if (word_->compare_exchange_strong(free, me, std::memory_order_acquire,
                                           std::memory_order_relaxed)) [[likely]] {
            return lock_result::acquired;
        }
        return wait_for_it(me, until);
    }

    // For what is no message and has no deadline of its own (to attach, to make a group): waits for
    // fifty liveness intervals, 5 s by default, and then throws error(timed_out). Nobody holds a
    // lock for so long but a process that is stopped.
    lock_result lock(layout::member_id me);

    // Throws error(presence_lost) if others have taken us for dead, and the lock from us.
    void unlock(layout::member_id me) {
        auto mine = me;
        // Sequentially consistent, which costs the same here: see full_fence_after_rmw().
        if (!word_->compare_exchange_strong(mine, 0, std::memory_order_seq_cst,
                                            std::memory_order_relaxed)) [[unlikely]] {
            unlock_and_wake(me);
        }
    }

    // What the lock guards cannot be repaired: it goes to an owner who is dead for ever, so that
    // everyone who comes finds that out for himself, and nobody waits.
    void give_up(layout::member_id me);

    static constexpr std::uint32_t waiting = std::uint32_t{1} << 31U;
    static constexpr layout::member_id owner_of(std::uint32_t word) { return word & ~waiting; }

  private:
    lock_result wait_for_it(layout::member_id me, deadline until);
    void unlock_and_wake(layout::member_id me);

    const roster* where_;
    std::atomic<std::uint32_t>* word_;
};

}  // namespace ringpipe
