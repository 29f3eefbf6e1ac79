#include "shm/membership.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <mutex>

#include "common/error.hpp"
#include "shm/append_lock.hpp"
#include "shm/group_lock.hpp"
#include "shm/name.hpp"
#include "shm/producer_names.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

namespace {

// The group that has something in this slot's lease, if any.
std::optional<std::uint32_t> group_of_orphan(const segment& where, const layout::member& member) {
    const auto group = member.lease.group.load(memory_order_relaxed);
    if (group >= where.groups().size()) { return {}; }
    const auto generation = where.groups()[group].generation.load(memory_order_acquire);
    return holds_something(member.lease, group, generation) ? std::optional{group} : std::nullopt;
}

}  // namespace

membership::membership(std::shared_ptr<segment> where, layout::role what, const std::string& name,
                       std::optional<group_place> group)
    : where_{std::move(where)},
      presence_{where_->file().path(), where_->file().descriptor()},
      what_{what},
      slot_{take_slot(group)},
      entry_{&where_->members()[slot_]} {
    auto& mine = entry();
    // The byte is ours: nobody else writes here. From this store on the predecessor is dead to all.
    const auto incarnation = mine.incarnation.load(memory_order_relaxed) + 1;
    mine.incarnation.store(incarnation, memory_order_release);
    id_ = layout::make_member_id(slot_, incarnation);
    clean_up_predecessor();
    std::memset(mine.name, 0, sizeof mine.name);
    if (!name.empty()) {
        check_name(name, "member");
        std::memcpy(mine.name, name.data(), name.size());
    }
    mine.pid.store(static_cast<std::uint32_t>(::getpid()), memory_order_relaxed);
    mine.messages.store(0, memory_order_relaxed);
    mine.waits_for.store(layout::wish::nothing, memory_order_relaxed);
    where_->file().mark_used();
}

membership::~membership() {
    if (forked()) { return; }
    where_->file().mark_used();
    entry().what.store(layout::role::none, memory_order_release);
    // ~presence lets the byte go, behind this store.
}

void membership::refuse_in_child() {
    throw error{errc::forked,
                "this producer or consumer belongs to the parent process; after fork() make one of "
                "the child's own"};
}

void membership::announce(std::optional<group_place> group) {
    auto& mine = entry();
    if (group) {
        mine.group.store(group->index, memory_order_relaxed);
        mine.generation.store(group->generation, memory_order_relaxed);
    }
    mine.what.store(what_, std::memory_order_seq_cst);
    // Behind it: who sees that there has been a producer sees this one, too, or that it died.
    if (what_ == layout::role::producer) {
        where_->header().producers_ever.fetch_add(1, std::memory_order_seq_cst);
    }
}

std::uint32_t membership::take_slot(std::optional<group_place> group) {
    const auto members = where_->members();
    const auto count = static_cast<std::uint32_t>(members.size());
    // A slot with an orphan lease stays free while there are others, so that it can be adopted.
    for (std::uint32_t slot = 0; slot < count; ++slot) {
        if (!group_of_orphan(*where_, members[slot]) && presence_.try_hold(slot)) {
            // Its last owner may have died with a lease since we looked.
            if (!group_of_orphan(*where_, members[slot])) { return slot; }
            presence_.let_go(slot);
        }
    }
    // Producers have no lease of their own and get along with an orphan in their slot; a consumer
    // adopts one of its own group.
    for (std::uint32_t slot = 0; slot < count; ++slot) {
        const auto orphan_of = group_of_orphan(*where_, members[slot]);
        const bool acceptable =
            what_ != layout::role::consumer || !orphan_of || (group && *orphan_of == group->index);
        if (acceptable && presence_.try_hold(slot)) { return slot; }
    }
    throw error{
        errc::members_full,
        fmt::format(
            "cannot attach to ring {}: all {} slots of its member table are in use; stop a program "
            "that uses it, or make the ring with more --members",
            where_->file().name(), count)};
}

void membership::clean_up_predecessor() {
    auto& mine = entry();
    const bool died_as_producer = mine.what.load(memory_order_acquire) == layout::role::producer;
    // The mark first: no moment may exist in which the slot is clean and the stream looks whole.
    if (died_as_producer) { mark_truncated(*where_, slot_); }

    // Locks that it died with: taking one over repairs what it guards.
    const auto held_here = [this](const std::atomic<std::uint32_t>& word) {
        const auto owner = owner_lock::owner_of(word.load(memory_order_relaxed));
        return owner != 0 && layout::slot_of(owner) == slot_;
    };
    append_lock tail{*where_, id_};
    if (held_here(where_->append().lock) || died_as_producer) {
        const std::lock_guard hold{tail};
        if (died_as_producer) {
            tail.discard_dead(where_->append().limit.load(memory_order_relaxed),
                              where_->capacity());
        }
    }
    for (std::uint32_t group = 0; group < where_->groups().size(); ++group) {
        if (held_here(where_->groups()[group].lock)) {
            group_lock side{*where_, group, id_};
            const std::lock_guard hold{side};
        }
    }
    mine.what.store(layout::role::none, memory_order_release);
    mine.named.store(0, memory_order_relaxed);
}

}  // namespace ringpipe
