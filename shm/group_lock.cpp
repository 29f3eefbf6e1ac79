#include "shm/group_lock.hpp"

#include <algorithm>
#include <bit>

#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

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

void group_lock::join(std::uint32_t slot) {
    auto& bits = group().members[slot / 64];
    const auto bit = std::uint64_t{1} << (slot % 64);
    bits.store(bits.load(memory_order_relaxed) | bit, memory_order_relaxed);
    group().member_count.store(group().member_count.load(memory_order_relaxed) + 1,
                               memory_order_relaxed);
}

void group_lock::forget(std::uint32_t slot) {
    auto& bits = group().members[slot / 64];
    const auto bit = std::uint64_t{1} << (slot % 64);
    bits.store(bits.load(memory_order_relaxed) & ~bit, memory_order_relaxed);
}

void group_lock::leave(std::uint32_t slot, layout::position received) {
    auto& lease = where_->members()[slot].lease;
    const auto count = group().member_count.load(memory_order_relaxed);
    group().member_count.store(count > 0 ? count - 1 : 0, memory_order_relaxed);
    if (holds(lease)) {
        const auto end = lease.end.load(memory_order_relaxed);
        received = std::clamp(received, lease.begin.load(memory_order_relaxed), end);
        if (end == group().claim.load(memory_order_relaxed)) {
            // Claim first: a death between the two leaves the lease as it was, and the repair
            // takes the claim back to its end.
            group().claim.store(received, memory_order_relaxed);
            lease.end.store(received, memory_order_release);
        }
    }
    if (holds(lease)) {
        lease.returned.store(1, memory_order_relaxed);
        lease.owner.store(0, memory_order_release);
    } else {
        forget(slot);
    }
    recompute_released();
}

bool group_lock::adopt(std::uint32_t to) {
    std::optional<std::uint32_t> from;
    for_each_slot([&](std::uint32_t slot) {
        auto& member = where_->members()[slot];
        const auto owner = member.lease.owner.load(memory_order_acquire);
        if (!from && holds(member.lease) && (owner == 0 || !where_->alive(owner))) { from = slot; }
        if (!holds(member.lease) && slot != to && !where_->occupied(slot)) {
            // Died with nothing in its hands: it no longer shares.
            forget(slot);
            const auto count = group().member_count.load(memory_order_relaxed);
            group().member_count.store(count > 1 ? count - 1 : 1, memory_order_relaxed);
        }
    });
    if (from) { take_over(*from, to); }
    return from.has_value();
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
    const bool same_message = old.attempt_position.load(memory_order_relaxed) == begin;
    const auto before = same_message ? old.attempts.load(memory_order_relaxed) : 0;
    const auto attempts = old.returned.load(memory_order_relaxed) != 0 ? before : before + 1;
    if (from != to) {
        mine.end.store(0, memory_order_relaxed);
        mine.begin.store(begin, memory_order_release);
        mine.group.store(index_, memory_order_relaxed);
        mine.generation.store(group().generation.load(memory_order_relaxed), memory_order_relaxed);
    }
    mine.attempts.store(attempts, memory_order_relaxed);
    mine.attempt_position.store(begin, memory_order_relaxed);
    mine.returned.store(0, memory_order_relaxed);
    mine.owner.store(me_, memory_order_relaxed);
    if (from != to) {
        mine.end.store(end, memory_order_release);
        old.end.store(0, memory_order_release);
        // Its slot shares on only if a living member of this group is in it (with nothing leased).
        if (!where_->occupied(from)) { forget(from); }
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
            if (!holds(twin) || twin.begin.load(memory_order_relaxed) !=
                                    member.lease.begin.load(memory_order_relaxed)) {
                continue;
            }
            auto& fewer = twin.attempts.load(memory_order_relaxed) <
                                  member.lease.attempts.load(memory_order_relaxed)
                              ? twin
                              : member.lease;
            fewer.end.store(0, memory_order_release);
        }
        const bool attached = member.what.load(memory_order_acquire) == layout::role::consumer &&
                              member.group.load(memory_order_relaxed) == index_ &&
                              member.generation.load(memory_order_relaxed) ==
                                  group().generation.load(memory_order_relaxed);
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
