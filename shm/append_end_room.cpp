// How a producer waits for room, first come first served.
#include <algorithm>

#include "common/error.hpp"
#include "shm/append_end.hpp"
#include "shm/cpu.hpp"
#include "shm/group_lock.hpp"
#include "shm/group_table.hpp"
#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;

bool append_end::wait_for_room(std::uint64_t stride, deadline until) {
    const auto me = member_->id();
    bool locked = true;
    try {
        refuse_if_too_large(stride, stride - layout::header_bytes, "a message");
        for (bool looked = false;; looked = true) {
            const auto tail = side_.tail.load(memory_order_relaxed);
            const auto end = tail + stride + layout::header_bytes;
            if (lock_.make_room(end)) {
                leave_line();
                return true;
            }
            if (until == at_once || (looked && clock::now() >= until)) { break; }
            const bool waits = until > at_once;
            if (open_loans_ != 0 && waits) {
                throw error{errc::loan_outstanding,
                            "cannot wait for room while this producer holds a loan that it has not "
                            "committed: it could "
                            "wait for itself; commit or discard it first"};
            }
            // First in line, so that small messages of others cannot starve a large one.
            if (waits && side_.first_in_line.load(memory_order_relaxed) == 0) {
                side_.first_in_line.store(me, memory_order_relaxed);
                side_.room_end.store(0, memory_order_relaxed);
            }
            const bool my_turn = side_.first_in_line.load(memory_order_relaxed) == (waits ? me : 0);
            const auto needed = end > where_->capacity() ? end - where_->capacity() : 0;
            const auto limit = side_.limit.load(memory_order_relaxed);
            // An ephemeral group whose last member was killed goes with it. (Tail lock held.)
            for (std::uint32_t i = 0; i < where_->groups().size(); ++i) {
                if (where_->groups()[i].released.load(memory_order_acquire) < needed) {
                    remove_if_deserted(*where_, i, ~std::uint32_t{0});
                }
            }
            const auto wanted = worth_waking_for(end);
            lock_.unlock();
            locked = false;
            press_groups(needed, until);
            if (waits && !(my_turn && least_released(*where_, limit) >= needed)) {
                sleep_for_room(my_turn ? std::optional{wanted} : std::nullopt, until);
            }
            locked = lock_.try_lock_until(until);
            if (!locked) { break; }
        }
        leave_line();
        if (locked) { lock_.unlock(); }
        return false;
    } catch (...) {
        leave_line();
        if (locked) { lock_.unlock(); }
        throw;
    }
}

std::optional<wait_point> append_end::announce_wait(std::uint64_t stride) {
    const auto me = member_->id();
    auto& room = where_->room();
    std::optional<layout::position> wanted;
    if (lock_.try_lock_until(deadline::min())) {
        const auto tail = side_.tail.load(memory_order_relaxed);
        const auto end = tail + stride + layout::header_bytes;
        if (side_.first_in_line.load(memory_order_relaxed) == 0) {
            side_.first_in_line.store(me, memory_order_relaxed);
            side_.room_end.store(0, memory_order_relaxed);
        }
        if (side_.first_in_line.load(memory_order_relaxed) == me) {
            wanted = worth_waking_for(end);
            room.wanted.store(*wanted, memory_order_relaxed);
        }
        lock_.unlock();
    }
    const auto epoch = wait_word::announce(room.waiting);
    full_fence_after_rmw();
    // What was acknowledged before we announced ourselves is released by nobody but us.
    if (wanted) {
        press_groups(*wanted, deadline::min());
        if (least_released(*where_, 0) >= *wanted) { return {}; }
    } else if (side_.first_in_line.load(memory_order_relaxed) == 0) {
        return {};
    }
    return wait_point{&room.waiting, epoch};
}

// Of `released`: an eighth of the ring, or all there is. Tail lock held.
layout::position append_end::worth_waking_for(layout::position end) const {
    const auto tail = side_.tail.load(memory_order_relaxed);
    const auto needed = end > where_->capacity() ? end - where_->capacity() : 0;
    const auto limit = side_.limit.load(memory_order_relaxed);
    return std::min(tail, std::max(needed, limit + where_->capacity() / 8));
}

// Those behind us look again. The exchange is the fence between leaving and the look at who sleeps.
void append_end::leave_line() {
    auto first = member_->id();
    const bool was_first = side_.first_in_line.load(memory_order_relaxed) == first;
    if (!was_first) { return; }
    side_.first_in_line.compare_exchange_strong(first, 0, std::memory_order_seq_cst);
    full_fence_after_rmw();
    if (wait_word::announced(where_->room().waiting)) {
        wait_word::wake(where_->room().waiting, futex::everyone);
    }
}

// Consumers release lazily, and one that went away or to sleep not at all: what they have
// acknowledged is released here. The tail lock is not held: the two locks never are together.
void append_end::press_groups(layout::position wanted, deadline until) {
    for (std::uint32_t i = 0; i < where_->groups().size(); ++i) {
        auto& group = where_->groups()[i];
        if (group.state.load(memory_order_acquire) == layout::group_state::empty ||
            group.released.load(memory_order_acquire) >= wanted) {
            continue;
        }
        group_lock side{*where_, i, member_->id()};
        if (side.try_lock_until(until)) {
            side.recompute_released();
            side.unlock();
        }
    }
}

// Until `released` has come to `wanted` (first in line), or the one before us has been served.
// Spins, then sleeps at most one liveness interval.
void append_end::sleep_for_room(std::optional<layout::position> wanted, deadline until) {
    const auto there = [&] {
        return wanted ? least_released(*where_, 0) >= *wanted
                      : side_.first_in_line.load(memory_order_relaxed) == 0;
    };
    const auto look_again = std::min(until, clock::now() + where_->liveness_interval());
    if (spinner_.wait_until(look_again, there) || spinner_.strategy() == wait_strategy::spin) {
        return;
    }
    auto& room = where_->room();
    if (wanted) { room.wanted.store(*wanted, memory_order_relaxed); }
    const auto epoch = wait_word::announce(room.waiting);
    full_fence_after_rmw();
    // What was acknowledged before we announced ourselves is released by nobody but us.
    if (wanted) { press_groups(*wanted, until); }
    if (!there()) {
        member_->tell_wish(layout::wish::room);
        futex::wait(room.waiting, epoch, look_again);
        member_->tell_wish(layout::wish::nothing);
    }
}

}  // namespace ringpipe
