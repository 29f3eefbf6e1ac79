#include "shm/claim_end.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <mutex>

#include "common/error.hpp"
#include "shm/append_lock.hpp"
#include "shm/cpu.hpp"
#include "shm/producer_names.hpp"
#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

namespace {

// To some milliseconds, for a fifth of the price: asked for with every lease.
clock::duration coarse_now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

constexpr std::chrono::milliseconds slow_lease{10};

std::uint32_t checked_prefetch(const consumer_options& options) {
    if (options.prefetch == 0) {
        throw error{errc::invalid_argument,
                    "a consumer cannot have a prefetch of 0; ask for 1 or more"};
    }
    return options.prefetch;
}

}  // namespace

claim_end::claim_end(const ring& from, const consumer_options& options, consumer& front)
    : ring_{from},
      where_{from.shared()},
      view_{where_->messages()},
      member_{where_, layout::role::consumer, options.name, find_group(*where_, options.group)},
      place_{},
      lock_{*where_, 0, member_.id()},
      lease_{&member_.entry().lease},
      spinner_{options.wait},
      prefetch_{checked_prefetch(options)},
      max_attempts_{options.max_attempts},
      bytes_per_lease_{where_->capacity() / 8} {
    join(options, front);
}

void claim_end::join(const consumer_options& options, consumer& front) {
    {
        append_lock tail{*where_, member_.id()};
        const std::lock_guard hold{tail};
        place_ =
            find_or_make_group(*where_, member_.id(), options.group, options.from, options.kind);
        member_.announce(place_);
    }
    group_ = &where_->groups()[place_.index];
    lock_ = group_lock{*where_, place_.index, member_.id()};

    const std::lock_guard hold{lock_};
    lock_.join(member_.slot());
    inherited_ = lock_.adopt_own(member_.slot());
    if (!inherited_) {
        lease_->end.store(0, memory_order_relaxed);
        lease_->begin.store(0, memory_order_relaxed);
        lease_->group.store(place_.index, memory_order_relaxed);
        lease_->generation.store(place_.generation, memory_order_relaxed);
        lease_->returned.store(0, memory_order_relaxed);
        lease_->attempts.store(0, memory_order_relaxed);
        lease_->owner.store(member_.id(), memory_order_release);
        // Whoever follows on a dead consumer begins with what that one had, and so in order.
        inherited_ = lock_.adopt(member_.slot());
    }
    front.view_ = view_;
    front.lease_begin_ = &lease_->begin;
    front.room_ = &where_->room();
}

receive_status claim_end::claim_and_receive(consumer& front, message& received, deadline until) {
    (void)member_.id();  // throws in a forked child
    now_ = coarse_now();
    adapt_share();
    const bool waits = until > at_once;
    for (unsigned round = 1;; ++round) {
        // Others may be quicker again and again: the deadline counts all the same.
        const bool late = round % 16 == 0 && clock::now() >= until;
        std::uint32_t epoch = 0;
        auto result = claim(front, until);
        if (result == outcome::nothing && waits) {
            if (!late && spin(front, until)) {
                // The rest of a small message is on its way while we take the lock: a round trip is
                // 15 ns shorter.
                __builtin_prefetch(&view_.at(claim_position()) + 4);
                continue;
            }
            now_ = coarse_now();
            epoch = announce_sleep();
            if (!late && can_claim()) { continue; }
        }
        if (result == outcome::nothing && until != at_once) { result = look_for_end(front, until); }
        switch (result) {  // what goes on below goes round
            case outcome::leased:
                if (receive_or_bury(front, received)) { return receive_status::message; }
                break;
            case outcome::again: break;
            case outcome::end: return truncated() ? receive_status::truncated : receive_status::end;
            case outcome::timed_out: return receive_status::timed_out;
            case outcome::nothing:
                if (!waits || clock::now() >= until) { return receive_status::timed_out; }
                if (spinner_.strategy() != wait_strategy::spin) {
                    member_.tell_wish(layout::wish::messages);
                    futex::wait(group_->waiting, epoch,
                                std::min(until, clock::now() + where_->liveness_interval()));
                    member_.tell_wish(layout::wish::nothing);
                    now_ = coarse_now();  // it may be time to look for the dead
                }
        }
        if (late) { return receive_status::timed_out; }
    }
}

void claim_end::adapt_share() {
    const auto took = now_ - leased_at_;
    if (took > slow_lease) {
        share_ = std::max<std::uint64_t>(share_ / 2, 1);
    } else {
        share_ = std::min(share_ * 2, prefetch_);
    }
}

claim_end::outcome claim_end::claim(consumer& front, deadline until) {
    if (inherited_) [[unlikely]] {
        inherited_ = false;
        show_lease(front, true);
        leased_at_ = now_;
        return outcome::leased;
    }
    // By elapsed time, also where there is always something to do.
    const bool look_for_dead = now_ >= next_look_for_dead_;
    if (!look_for_dead && !can_claim()) { return outcome::nothing; }
    if (look_for_dead && until == at_once) { return outcome::nothing; }

    if (look_for_dead) { skip_discarded(front); }
    const bool idle_handed = front.acknowledged_ == front.lease_end_;
    if (!lock_.try_lock_until(until)) { return outcome::timed_out; }
    std::unique_lock hold{lock_, std::adopt_lock};
    if (look_for_dead) {
        refuse_endless_chain();
        next_look_for_dead_ = now_ + where_->liveness_interval() / 2;
        if (idle_handed && lock_.time_to_look_for_dead(now_, where_->liveness_interval() / 2) &&
            lock_.adopt(member_.slot())) {
            show_lease(front, true);
            leased_at_ = now_;
            return outcome::leased;
        }
    }
    const auto result = lease_next(front);
    hold.unlock();
    if (result == outcome::leased) {
        leased_at_ = now_;
        full_fence_after_rmw();  // the unlock: between `released` and the look at who waits for room
        lock_.wake_producers();
        pass_on_wake();
    }
    return result;
}

// It was given back, found no free slot to wait in, and is not yet due or adopted: nothing may be
// written over it.
bool claim_end::lease_waits_in_our_slot() const {
    return lease_->owner.load(memory_order_relaxed) != member_.id() &&
           holds_something(*lease_, place_.index, place_.generation);
}

claim_end::outcome claim_end::lease_next(consumer& front) {
    if (lease_waits_in_our_slot()) [[unlikely]] { return outcome::nothing; }
    lease_->owner.store(member_.id(), memory_order_relaxed);
    const auto from = claim_position();
    const bool extend = front.acknowledged_ != front.lease_end_;
    const auto sharers =
        std::max<std::uint64_t>(group_->member_count.load(memory_order_relaxed), 1);
    auto found =
        walk(from, share_ * sharers, std::min(bytes_per_lease_ * sharers, where_->capacity() / 2));
    if (found.end == from) { return outcome::nothing; }
    if (sharers > 1 && found.messages > 1) {
        found = walk(from, std::min(share_, (found.messages + sharers - 1) / sharers),
                     bytes_per_lease_);
    }
    if (extend &&
        (front.lease_end_ != from || found.end - front.acknowledged_ > where_->capacity() / 2)) {
        refuse_unacknowledged();
    }
    // Begin before end: in between the lease is empty or inverted, and does not count.
    if (!extend) { lease_->begin.store(from, memory_order_release); }
    lease_->end.store(found.end, memory_order_release);
    // Crash window: the repair takes `claim` to the end of the lease.
    group_->claim.store(found.end, memory_order_relaxed);
    group_->claim_sequence.store(found.last_sequence + 1, memory_order_relaxed);
    // Every so many bytes only; whoever runs dry releases the rest (see spin()).
    if (found.end - group_->released.load(memory_order_relaxed) >= where_->capacity() / 16) {
        lock_.recompute_released();
        released_to_ = from;
    }

    front.lease_end_ = found.end;
    if (!extend) {
        front.cursor_ = from;
        front.acknowledged_ = from;
        front.redelivered_ = false;
    }
    front.attempt_ = 1;
    front.attempt_behind_ = 1;
    messages_since_dry_ += found.messages;
    member_.count(found.messages);
    return outcome::leased;
}

// Headers that somebody else wrote could lead us round the ring for ever. In a sound ring a claim
// is ahead of the tail at most by what a dead producer appended and nobody has repaired.
void claim_end::refuse_endless_chain() const {
    const auto tail = where_->append().tail.load(memory_order_relaxed);
    const auto claim = claim_position();
    if (claim > tail && claim - tail > where_->capacity()) {
        throw_corrupt("a group has claimed more than was ever sent", claim);
    }
}

void claim_end::refuse_unacknowledged() const {
    throw error{
        errc::unacknowledged,
        fmt::format("cannot receive more from ring {}: messages of this consumer's lease are not "
                    "acknowledged, and nothing more can be leased before; acknowledge them first",
                    where_->file().name())};
}

claim_end::run claim_end::walk(layout::position from, std::uint64_t messages,
                               std::uint64_t bytes) const {
    // Every message comes by here: what the loop needs is kept in registers.
    const auto view = view_;
    const auto capacity = where_->capacity();
    auto at = from;
    auto last = from;
    auto end = from;
    std::uint64_t count = 0;
    while (count < messages && at - from < bytes) {
        // Acquire: pairs with the producer's commit, for the payload too.
        const auto word = view.at(at).word.load(memory_order_acquire);
        const auto state = layout::word::state_of(word);
        if (state < layout::word::committed) { break; }
        const auto here = at;
        at += layout::stride_of(layout::word::size_of(word));
        if (at - from > capacity) { throw_corrupt("a message is longer than the ring", here); }
        // Discarded ones behind the last message are left for the next lease: a consumer whose
        // lease is not used up counts on a message.
        const bool is_message = state == layout::word::committed;
        if (!is_message && count != 0) { continue; }
        last = here;
        end = at;
        count += is_message ? 1 : 0;
    }
    if (end == from) { return {from, 0, 0}; }
    return {end, count, view.at(last).sequence};
}

void claim_end::show_lease(consumer& front, bool adopted) const {
    const auto begin = lease_->begin.load(memory_order_relaxed);
    const auto end = lease_->end.load(memory_order_relaxed);
    if (end - begin > where_->capacity()) {
        throw_corrupt("a lease is longer than the ring", begin);
    }
    front.cursor_ = begin;
    front.acknowledged_ = begin;
    front.lease_end_ = end;
    front.attempt_ = lease_->attempts.load(memory_order_relaxed) + 1;
    // A clean hand-back counts as no attempt.
    front.attempt_behind_ = front.attempt_ > 1 ? 2 : 1;
    front.redelivered_ = adopted;
}

// We claim, perhaps woken for it; there may be others asleep. If we leave messages behind, the next
// one wakes now; else the next send has to look again.
void claim_end::pass_on_wake() {
    if (!wait_word::announced(group_->waiting)) [[likely]] { return; }
    if (!settled_at(claim_position())) {
        where_->sleepers().groups.fetch_or(std::uint64_t{1} << place_.index, memory_order_seq_cst);
        full_fence_after_rmw();
        if (!settled_at(claim_position())) { return; }
    }
    wait_word::wake(group_->waiting, 1);
}

// True: there is something to claim. False: not within the time that is worth staying awake for.
bool claim_end::spin(const consumer& front, deadline until) {
    // What we have acknowledged must not hold a producer back while we wait. Here, and not when the
    // next message has come: now there is time.
    if (front.acknowledged_ != released_to_) {
        release_until(after(where_->liveness_interval()));
        released_to_ = front.acknowledged_;
    }
    auto now = clock::now();
    if (spinner_.strategy() != wait_strategy::block && messages_since_dry_ != 0) {
        const auto rest = distance_.pause_after(messages_since_dry_, now);
        if (rest != rest.zero()) { now = pause_until(now + rest); }
        messages_since_dry_ = 0;
    }
    return spinner_.wait_until(std::min(until, now + where_->liveness_interval()),
                               [&] { return can_claim(); });
}

// The sleeper's first steps (see wait_word.hpp); the caller looks again before it sleeps.
std::uint32_t claim_end::announce_sleep() {
    const auto epoch = wait_word::announce(group_->waiting);
    where_->sleepers().groups.fetch_or(std::uint64_t{1} << place_.index, memory_order_seq_cst);
    full_fence_after_rmw();
    return epoch;
}

// Pauses without a look at the line that the producer writes.
clock::time_point claim_end::pause_until(clock::time_point stop) {
    for (;;) {
        for (int i = 0; i < 4; ++i) { cpu_relax(); }
        if (const auto now = clock::now(); now >= stop) { return now; }
    }
}

wait_point claim_end::announce_wait() { return {&group_->waiting, announce_sleep()}; }

void claim_end::release_until(deadline until) {
    if (!lock_.try_lock_until(until)) { return; }
    lock_.recompute_released();
    lock_.unlock();
    full_fence_after_rmw();
    lock_.wake_producers();
}

void claim_end::leave(layout::position received) noexcept {
    if (left_ || forked()) { return; }
    left_ = true;
    // What is not even begun stays an orphan, with its attempts.
    if (inherited_) { received = ~layout::position{0}; }
    try {
        // Somebody stopped in a critical section must not keep us for ever: then we go as the dead
        // do, and our lease is adopted.
        const auto until = after(std::chrono::seconds{2});
        if (!lock_.try_lock_until(until)) { return; }
        lock_.leave(member_.slot(), received);
        lock_.unlock();
        full_fence_after_rmw();
        lock_.wake_producers();
        // What we hand back is for the others, and so may be a wake that we have used up.
        if (wait_word::announced(group_->waiting)) {
            wait_word::wake(group_->waiting, futex::everyone);
        }
        append_lock tail{*where_, member_.id()};
        if (!tail.try_lock_until(until)) { return; }
        remove_if_deserted(*where_, place_.index, member_.slot());
        tail.unlock();
    } catch (const error&) {
        // A corrupt ring, or one that took us for dead: then we are already gone.
    }
}

}  // namespace ringpipe
