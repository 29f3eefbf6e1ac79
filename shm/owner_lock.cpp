#include "shm/owner_lock.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "shm/cpu.hpp"
#include "shm/futex.hpp"

namespace ringpipe {
namespace {

// A critical section takes some 10 ns, a claim some microseconds: longer than this, and the owner
// is not running. Spinning on would only take its core.
constexpr int spins = 100;
constexpr std::chrono::milliseconds first_sleep{2};

}  // namespace

lock_result owner_lock::wait_for_it(layout::member_id me, deadline until) {
    for (int i = 0; i < spins; ++i) {
        auto seen = word_->load(std::memory_order_relaxed);
        if (owner_of(seen) == 0 &&
            word_->compare_exchange_weak(seen, me | (seen & waiting), std::memory_order_acquire)) {
            return lock_result::acquired;
        }
        cpu_relax();
    }
    if (until == at_once) { return lock_result::timed_out; }
    // Whoever has slept here takes the lock with the bit set: there may be more sleepers, and the
    // unlock that clears the bit wakes only one.
    auto sleep = std::min<clock::duration>(first_sleep, where_->liveness_interval());
    for (;;) {
        auto seen = word_->load(std::memory_order_relaxed);
        if (owner_of(seen) == 0) {
            if (word_->compare_exchange_strong(seen, me | waiting, std::memory_order_acquire)) {
                return lock_result::acquired;
            }
            continue;
        }
        if ((seen & waiting) == 0) {
            if (!word_->compare_exchange_strong(seen, seen | waiting, std::memory_order_relaxed)) {
                continue;
            }
            seen |= waiting;
        }
        const auto now = clock::now();
        if (until > now) { futex::wait(*word_, seen, std::min(until, now + sleep)); }
        if (word_->load(std::memory_order_relaxed) == seen && !where_->alive(owner_of(seen))) {
            // Acquire, although a dead owner released nothing: the kernel's dropping of its byte,
            // which alive() has just seen, comes after all its stores.
            if (word_->compare_exchange_strong(seen, me | waiting, std::memory_order_acquire)) {
                return lock_result::recovered;
            }
            continue;
        }
        if (owner_of(word_->load(std::memory_order_relaxed)) != 0 && clock::now() >= until) {
            return lock_result::timed_out;
        }
        sleep = std::min<clock::duration>(sleep * 2, where_->liveness_interval());
    }
}

lock_result owner_lock::lock(layout::member_id me) {
    const auto result = try_lock_until(me, after(where_->liveness_interval() * 50));
    if (result == lock_result::timed_out) {
        const auto slot = layout::slot_of(owner_of(word_->load(std::memory_order_relaxed)));
        throw error{errc::timed_out,
                    fmt::format("cannot attach to {}: process {} (slot {}) holds a lock of it and "
                                "does not go on (stopped?); let it go on (kill -CONT), or kill it",
                                where_->title(), where_->pid_of(slot), slot)};
    }
    return result;
}

void owner_lock::unlock_and_wake(layout::member_id me) {
    auto mine = me | waiting;
    if (!word_->compare_exchange_strong(mine, 0, std::memory_order_seq_cst)) {
        throw error{errc::presence_lost,
                    fmt::format("a lock of {0} is not this process's (any more): it was unlocked "
                                "without being locked, or others took this process for dead, "
                                "because its presence lock was gone (close_range?): then open the "
                                "{0} again",
                                where_->title())};
    }
    futex::wake(*word_, 1);
}

void owner_lock::give_up(layout::member_id me) {
    constexpr layout::member_id nobody_ever = 0xfff;  // a slot behind every table
    for (auto seen = word_->load(std::memory_order_relaxed); owner_of(seen) == me;) {
        if (word_->compare_exchange_weak(seen, nobody_ever | waiting, std::memory_order_release)) {
            break;
        }
    }
    futex::wake(*word_, futex::everyone);
}

}  // namespace ringpipe
