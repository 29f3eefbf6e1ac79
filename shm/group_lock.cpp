#include "shm/group_lock.hpp"

#include <algorithm>
#include <bit>

#include "shm/presence.hpp"
#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

namespace {

// Parked, and its time has not come. (A time further off than any delay that anybody means is left
// from before a reboot.)
bool is_due(const layout::lease& lease) {
    const std::chrono::nanoseconds now = clock::now().time_since_epoch();
    const std::chrono::nanoseconds then{lease.not_before.load(memory_order_relaxed)};
    return then <= now || then > now + std::chrono::hours{24 * 7};
}

}  // namespace

bool group_lock::holds(const layout::lease& lease) const {
    return holds_something(lease, index_, group().generation.load(memory_order_relaxed));
}

template <class Visit>
void group_lock::for_each_slot(Visit visit) const {
    const auto count = where_->members().size();
    for (std::size_t i = 0; i * 64 < count; ++i) {
        for (auto bits = group().members[i].load(memory_order_relaxed); bits != 0;
             bits &= bits - 1) {
            const auto slot = i * 64 + static_cast<std::size_t>(std::countr_zero(bits));
            if (slot < count) { visit(static_cast<std::uint32_t>(slot)); }
        }
    }
}

void group_lock::recompute_released() {
    auto least = group().claim.load(memory_order_relaxed);
    for_each_slot([&](std::uint32_t slot) {
        const auto& lease = where_->members()[slot].lease;
        // holds() reads `begin` with acquire: its owner's reads of the payload happened before.
        if (holds(lease)) { least = std::min(least, lease.begin.load(memory_order_acquire)); }
    });
    // Release: hands the space, and with it those reads, on to the producers.
    group().released.store(least, memory_order_release);
}

void group_lock::remember(std::uint32_t slot) {
    auto& bits = group().members[slot / 64];
    const auto bit = std::uint64_t{1} << (slot % 64);
    bits.store(bits.load(memory_order_relaxed) | bit, memory_order_relaxed);
}

void group_lock::forget(std::uint32_t slot) {
    auto& bits = group().members[slot / 64];
    const auto bit = std::uint64_t{1} << (slot % 64);
    bits.store(bits.load(memory_order_relaxed) & ~bit, memory_order_relaxed);
    recount();
}

void group_lock::recount() {
    std::uint32_t sharing = 0;
    for_each_slot([&](std::uint32_t slot) { sharing += shares(slot) ? 1 : 0; });
    group().member_count.store(sharing, memory_order_relaxed);
}

bool group_lock::shares(std::uint32_t slot) const {
    const auto& member = where_->members()[slot];
    return member.what.load(memory_order_acquire) == layout::role::consumer &&
           member.group.load(memory_order_relaxed) == index_ &&
           member.generation.load(memory_order_relaxed) ==
               group().generation.load(memory_order_relaxed);
}

void group_lock::join(std::uint32_t slot) {
    remember(slot);
    recount();
}

void group_lock::leave(std::uint32_t slot, layout::position received) {
    auto& lease = where_->members()[slot].lease;
    // It shares no longer; a death from here on leaves an orphan.
    where_->members()[slot].what.store(layout::role::none, memory_order_release);
    if (holds(lease)) {
        const auto end = lease.end.load(memory_order_relaxed);
        received = std::clamp(received, lease.begin.load(memory_order_relaxed), end);
        if (end == group().claim.load(memory_order_relaxed)) {
            // Claim first: a death between the two leaves the lease as it was, and the repair
            // takes the claim back to its end.
            group().claim.store(received, memory_order_relaxed);
            if (received != end) {
                group().claim_sequence.store(where_->messages().at(received).sequence,
                                             memory_order_relaxed);
            }
            lease.end.store(received, memory_order_release);
        }
    }
    if (holds(lease)) {
        lease.returned.store(1, memory_order_relaxed);
        lease.owner.store(0, memory_order_release);
        group().looked_at.store(0, memory_order_relaxed);
        recount();
    } else {
        forget(slot);
    }
    recompute_released();
}

bool group_lock::adopt(std::uint32_t to) {
    std::optional<std::uint32_t> from;
    for_each_slot([&](std::uint32_t slot) {
        const auto& lease = where_->members()[slot].lease;
        if (holds(lease)) {
            const auto owner = lease.owner.load(memory_order_acquire);
            if (!from && is_due(lease) && (owner == 0 || !where_->alive(owner))) { from = slot; }
        } else if (slot != to && !where_->occupied(slot)) {
            forget(slot);  // died with nothing in its hands: it no longer shares
        }
    });
    if (from) { take_over(*from, to); }
    return from.has_value();
}

bool group_lock::time_to_look_for_dead(clock::duration now, clock::duration interval) {
    const auto last = group().looked_at.load(memory_order_relaxed);
    const auto at = static_cast<std::uint64_t>(std::chrono::nanoseconds{now}.count());
    const auto least = static_cast<std::uint64_t>(std::chrono::nanoseconds{interval}.count());
    // Later than now: from before a reboot.
    if (last <= at && at - last < least) { return false; }
    group().looked_at.store(at, memory_order_relaxed);
    return true;
}

// How often its first message was begun, by those who had it before.
std::uint32_t group_lock::attempts_of(const layout::lease& lease) const {
    const bool counted =
        lease.attempt_position.load(memory_order_relaxed) == lease.begin.load(memory_order_acquire);
    return counted ? lease.attempts.load(memory_order_relaxed) : 0;
}

bool group_lock::park(std::uint32_t slot, layout::position end, deadline not_before) {
    auto& mine = where_->members()[slot].lease;
    const auto begin = mine.begin.load(memory_order_relaxed);
    const auto attempts = attempts_of(mine) + 1;
    presence taker{where_->file().path(), where_->file().descriptor()};
    const auto free = [&]() -> std::optional<std::uint32_t> {
        // From the end of the table: attachers come from its beginning.
        for (auto i = static_cast<std::uint32_t>(where_->members().size()); i-- > 0;) {
            const auto& lease = where_->members()[i].lease;
            const bool empty =
                lease.end.load(memory_order_acquire) <= lease.begin.load(memory_order_acquire);
            if (empty && taker.try_hold(i)) { return i; }
        }
        return {};
    }();
    auto& parked = free ? where_->members()[*free].lease : mine;
    if (free) {
        parked.end.store(0, memory_order_relaxed);
        parked.begin.store(begin, memory_order_release);
        parked.group.store(index_, memory_order_relaxed);
        parked.generation.store(group().generation.load(memory_order_relaxed),
                                memory_order_relaxed);
        remember(*free);
    }
    parked.attempts.store(attempts, memory_order_relaxed);
    parked.attempt_position.store(begin, memory_order_relaxed);
    parked.not_before.store(
        static_cast<std::uint64_t>(std::chrono::nanoseconds{not_before.time_since_epoch()}.count()),
        memory_order_relaxed);
    parked.returned.store(1, memory_order_relaxed);  // the attempt is counted already
    parked.owner.store(0, memory_order_relaxed);
    if (free) {
        parked.end.store(end, memory_order_release);
        // Crash window: until here both begin with this message; the repair cuts the longer one.
        mine.begin.store(end, memory_order_release);
        taker.let_go(*free);
    }
    group().looked_at.store(0, memory_order_relaxed);
    return free.has_value();
}

bool group_lock::adopt_own(std::uint32_t slot) {
    if (!holds(where_->members()[slot].lease)) { return false; }
    take_over(slot, slot);
    return true;
}

void group_lock::take_over(std::uint32_t from, std::uint32_t to) {
    auto& old = where_->members()[from].lease;
    auto& mine = where_->members()[to].lease;
    const auto begin = old.begin.load(memory_order_acquire);
    const auto end = old.end.load(memory_order_acquire);
    const auto attempts = attempts_of(old) + (old.returned.load(memory_order_relaxed) != 0 ? 0 : 1);
    if (from != to) {
        mine.end.store(0, memory_order_relaxed);
        mine.begin.store(begin, memory_order_release);
        mine.group.store(index_, memory_order_relaxed);
        mine.generation.store(group().generation.load(memory_order_relaxed), memory_order_relaxed);
    }
    mine.attempts.store(attempts, memory_order_relaxed);
    mine.attempt_position.store(begin, memory_order_relaxed);
    mine.returned.store(0, memory_order_relaxed);
    mine.not_before.store(0, memory_order_relaxed);
    mine.owner.store(me_, memory_order_relaxed);
    if (from != to) {
        mine.end.store(end, memory_order_release);
        old.end.store(0, memory_order_release);
        // Its slot shares on only if a living member of this group is in it (with nothing leased).
        if (!shares(from) || !where_->occupied(from)) { forget(from); }
    }
    group().redelivered.fetch_add(1, memory_order_relaxed);
}

bool group_lock::all_acknowledged_but(std::uint32_t mine) const {
    bool all = true;
    for_each_slot([&](std::uint32_t slot) {
        all = all && (slot == mine || !holds(where_->members()[slot].lease));
    });
    return all;
}

void group_lock::wake_producers() const {
    auto& room = where_->room();
    if (wait_word::announced(room.waiting) &&
        group().released.load(memory_order_relaxed) >= room.wanted.load(memory_order_relaxed)) {
        wait_word::wake(room.waiting, futex::everyone);
    }
}

void group_lock::repair_or_give_up() {
    try {
        repair();
    } catch (...) {
        lock_.give_up(me_);
        throw;
    }
}

void group_lock::repair() {
    const auto members = where_->members();
    auto claim = group().claim.load(memory_order_relaxed);
    std::uint32_t sharing = 0;
    std::uint64_t bits[layout::max_members / 64] = {};
    for (std::uint32_t slot = 0; slot < members.size(); ++slot) {
        auto& member = members[slot];
        for (std::uint32_t other = slot + 1; other < members.size() && holds(member.lease);
             ++other) {
            auto& twin = members[other].lease;
            // Each once: a living owner moves its `begin`, and one that has come to its end is no
            // twin.
            const auto begin = member.lease.begin.load(memory_order_acquire);
            const auto end = member.lease.end.load(memory_order_relaxed);
            const auto twin_end = twin.end.load(memory_order_relaxed);
            if (!holds(twin) || begin >= end || twin.begin.load(memory_order_relaxed) != begin) {
                continue;
            }
            // A message was being parked: it is the shorter one's, the rest the longer one's. Or a
            // lease was being adopted: the one with fewer attempts is the old one.
            auto& longer = twin_end > end ? twin : member.lease;
            auto& fewer = attempts_of(twin) < attempts_of(member.lease) ? twin : member.lease;
            auto& cut = twin_end != end ? longer : fewer;
            // Either way its owner is dead. The living alone move their `begin`, so this is a
            // twin by chance of somebody else's bytes.
            if (where_->alive(cut.owner.load(memory_order_acquire))) { continue; }
            if (twin_end != end) {
                cut.begin.store(std::min(twin_end, end), memory_order_release);
            } else {
                cut.end.store(0, memory_order_release);
            }
        }
        const bool attached = shares(slot);
        if (attached) { ++sharing; }
        if (holds(member.lease)) {
            claim = std::max(claim, member.lease.end.load(memory_order_relaxed));
        }
        if (attached || holds(member.lease)) { bits[slot / 64] |= std::uint64_t{1} << (slot % 64); }
    }
    group().claim.store(claim, memory_order_relaxed);
    group().member_count.store(sharing, memory_order_relaxed);
    for (std::size_t i = 0; i < std::size(bits); ++i) {
        group().members[i].store(bits[i], memory_order_relaxed);
    }
    recompute_released();
}

}  // namespace ringpipe
