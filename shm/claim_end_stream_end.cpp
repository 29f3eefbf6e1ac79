// What a consumer does when nothing comes: is there still a producer, and was that the end?
#include <mutex>

#include "shm/append_lock.hpp"
#include "shm/claim_end.hpp"
#include "shm/producer_names.hpp"
#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_seq_cst;

bool claim_end::a_producer_is_attached() {
    const auto members = where_->members();
    const auto is_producer = [&](std::uint32_t slot) {
        return members[slot].what.load(memory_order_seq_cst) == layout::role::producer;
    };
    if (is_producer(last_producer_) && where_->occupied(last_producer_)) { return true; }
    bool attached = false;
    for (std::uint32_t slot = 0; slot < members.size(); ++slot) {
        const auto incarnation = members[slot].incarnation.load(memory_order_acquire);
        if (!is_producer(slot)) { continue; }
        if (where_->occupied(slot)) {
            last_producer_ = slot;
            attached = true;
        } else if (is_producer(slot) &&
                   members[slot].incarnation.load(memory_order_acquire) == incarnation) {
            // Gone, and it did not say goodbye; and it is not that one left and another came
            // meanwhile.
            mark_truncated(*where_, slot);
        }
    }
    return attached;
}

// Producers are looked at first, the header after them: a message sent just before a close is seen.
claim_end::outcome claim_end::look_for_end(consumer& front, deadline until) {
    const auto at = claim_position();
    const auto word = view_.peek(at);
    if (layout::word::state_of(word) == layout::word::busy &&
        !where_->alive(layout::word::owner_of(word))) {
        append_lock tail{*where_, member_.id()};
        if (!tail.try_lock_until(until)) { return outcome::timed_out; }
        const std::unique_lock hold{tail, std::adopt_lock};
        tail.discard_dead(at, 1);
        if (claim_position() == at && view_.at(at).word.load(memory_order_acquire) == word) {
            throw_corrupt("a dead producer's message cannot be discarded", at);
        }
        return outcome::again;
    }
    if (where_->header().producers_ever.load(memory_order_seq_cst) == 0 ||
        a_producer_is_attached()) {
        ending_ = false;
        return outcome::nothing;
    }
    ending_ = true;
    if (!lock_.try_lock_until(until)) { return outcome::timed_out; }
    const std::unique_lock hold{lock_, std::adopt_lock};
    if (layout::word::state_of(view_.at(claim_position()).word.load(memory_order_acquire)) !=
        layout::word::nothing) {
        return outcome::nothing;
    }
    skip_discarded(front);
    const bool mine_is_done = front.acknowledged_ == front.lease_end_;
    if (mine_is_done && lock_.adopt(member_.slot())) {
        show_lease(front, true);
        return outcome::leased;
    }
    if (!lock_.all_acknowledged_but(member_.slot())) {
        // Two who wait here, each for the other's acknowledgement, would wait for ever.
        if (!mine_is_done) { refuse_unacknowledged(); }
        return outcome::nothing;
    }
    if (wait_word::announced(group_->waiting)) {
        wait_word::wake(group_->waiting, futex::everyone);
    }
    return outcome::end;
}

bool claim_end::truncated() const { return is_truncated(*where_); }

}  // namespace ringpipe
