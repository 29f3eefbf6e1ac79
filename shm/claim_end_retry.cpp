// The second half of claim_end: what could not be worked on is tried again, given back, or buried.
#include <algorithm>
#include <mutex>

#include "common/error.hpp"
#include "shm/claim_end.hpp"
#include "shm/cpu.hpp"
#include "shm/dead_letter.hpp"
#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_relaxed;
using std::memory_order_release;

// Discarded ones behind the last that was received: nobody acknowledges them.
void claim_end::skip_discarded(consumer& front) const {
    while (front.acknowledged_ != front.lease_end_ && front.cursor_ == front.lease_end_) {
        const auto word = view_.at(front.acknowledged_).word.load(memory_order_relaxed);
        const auto stride = layout::stride_of(layout::word::size_of(word));
        if (layout::word::state_of(word) != layout::word::discarded ||
            stride > front.lease_end_ - front.acknowledged_) {
            return;
        }
        (void)front.advance(front.acknowledged_ + stride);
    }
}

// The first of a new lease. One that has killed too many consumers is not given to another.
bool claim_end::receive_or_bury(consumer& front, message& received) {
    const bool hopeless = max_attempts_ != 0 && front.attempt_ > max_attempts_;
    const bool idle_before = front.acknowledged_ == front.cursor_;
    bool found = front.next_in_lease(received);
    if (found && hopeless) {
        (void)bury(front, received, received.attempt() - 1, "its consumers died or gave it back");
        found = front.next_in_lease(received);
    }
    if (!found) {
        // Nothing but discarded and buried ones; what the caller still works on stays his.
        if (idle_before) { front.acknowledge(); }
        refuse_endless_chain();
    }
    return found;
}

// This one included; count_attempt() may have raised it since the message was received.
std::uint32_t claim_end::attempts_of(const message& one) const {
    const bool counted = lease_->begin.load(memory_order_relaxed) == one.position() &&
                         lease_->attempt_position.load(memory_order_relaxed) == one.position();
    return counted ? lease_->attempts.load(memory_order_relaxed) + 1 : one.attempt();
}

bool claim_end::bury(consumer& front, const message& dead, std::uint32_t attempts,
                     std::string_view why) {
    // Outside of all locks, and without waiting: a full dead-letter ring must not stop the group.
    // Before the acknowledgement: a death between the two buries it twice rather than not at all.
    const bool kept = [&] {
        try {
            return send_dead_letter(ring_, dead, attempts, why);
        } catch (const error&) {
            return false;  // no room for that ring, no permission, its name too long: as if full
        }
    }();
    if (!kept) { where_->header().dead_letters_dropped.fetch_add(1, memory_order_relaxed); }
    front.acknowledge(dead);
    ++buried_;
    return kept;
}

void claim_end::refuse_unless_first(const consumer& front, const message& one) const {
    if (one.end() > front.cursor_ || one.position() < front.acknowledged_) {
        throw error{errc::invalid_argument,
                    "this message is not one that this consumer has received and not acknowledged"};
    }
}

std::uint32_t claim_end::count_attempt(consumer& front, const message& again) {
    refuse_unless_first(front, again);
    front.acknowledge_to(again.position());
    const auto begin = lease_->begin.load(memory_order_relaxed);
    // The count belongs to this position, and is void until the position is this: position last.
    const bool counted = lease_->attempt_position.load(memory_order_relaxed) == begin;
    const auto before = counted ? lease_->attempts.load(memory_order_relaxed) : 0;
    if (!counted) { lease_->attempt_position.store(0, memory_order_relaxed); }
    lease_->attempts.store(before + 1, memory_order_release);
    lease_->attempt_position.store(begin, memory_order_release);
    return before + 2;
}

bool claim_end::reject_until(consumer& front, const message& returned, clock::duration delay,
                             deadline until) {
    refuse_unless_first(front, returned);
    if (!lock_.try_lock_until(until)) { return false; }
    bool parked = false;
    bool producers_wait = false;
    {
        const std::unique_lock hold{lock_, std::adopt_lock};
        producers_wait = front.advance(returned.position());
        const auto not_before = delay > delay.zero() ? clock::now() + delay : deadline{};
        parked = lock_.park(member_.slot(), returned.end(), not_before);
    }
    front.acknowledged_ = std::max(front.acknowledged_, returned.end());
    // Without a free slot all of the lease went back.
    if (!parked) { front.cursor_ = front.acknowledged_ = front.lease_end_; }
    next_look_for_dead_ = {};
    full_fence_after_rmw();
    if (delay <= delay.zero() && wait_word::announced(group_->waiting)) {
        wait_word::wake(group_->waiting, 1);
    }
    if (producers_wait) { release_until(until); }
    return true;
}

}  // namespace ringpipe
