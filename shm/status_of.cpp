#include "shm/status_of.hpp"

#include <algorithm>
#include <cstring>

#include "shm/group_lock.hpp"
#include "shm/producer_names.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;

namespace {

std::string text_of(const char (&name)[layout::name_size]) {
    return {name, ::strnlen(name, sizeof name)};
}

std::uint64_t difference(std::uint64_t larger, std::uint64_t smaller) {
    return larger > smaller ? larger - smaller : 0;
}

member_role role_of(layout::role what) {
    switch (what) {
        case layout::role::producer: return member_role::producer;
        case layout::role::consumer: return member_role::consumer;
        default: return member_role::tool;
    }
}

member_wish wish_of(layout::wish what) {
    switch (what) {
        case layout::wish::room: return member_wish::room;
        case layout::wish::messages: return member_wish::messages;
        default: return member_wish::nothing;
    }
}

// What the group's `released` will be when somebody needs it.
layout::position acknowledged_by(const segment& where, std::uint32_t index) {
    const auto& group = where.groups()[index];
    auto least = group.claim.load(memory_order_acquire);
    const auto generation = group.generation.load(memory_order_relaxed);
    for (const auto& member : where.members()) {
        if (holds_something(member.lease, index, generation)) {
            least = std::min(least, member.lease.begin.load(memory_order_acquire));
        }
    }
    return least;
}

}  // namespace

ring_status status_of(const segment& where) {
    const auto& side = where.append();
    ring_status status;
    status.name = where.file().name();
    status.path = where.file().path();
    status.capacity = where.capacity();
    status.mode = where.file().shape().mode;
    status.last_used = where.file().last_used();
    status.dead_letters_dropped = where.header().dead_letters_dropped.load(memory_order_relaxed);
    status.messages = side.sequence.load(memory_order_relaxed);
    status.bytes = side.tail.load(memory_order_acquire);
    status.truncated = is_truncated(where);

    for (std::uint32_t slot = 0; slot < where.members().size(); ++slot) {
        const auto& member = where.members()[slot];
        const auto what = member.what.load(memory_order_acquire);
        if (what == layout::role::none) { continue; }
        member_status seen;
        seen.slot = slot;
        seen.role = role_of(what);
        seen.alive = where.occupied(slot);
        seen.pid = member.pid.load(memory_order_relaxed);
        seen.name = text_of(member.name);
        seen.messages = member.messages.load(memory_order_relaxed);
        seen.waits_for = wish_of(member.waits_for.load(memory_order_relaxed));
        if (what == layout::role::consumer) {
            const auto group = member.group.load(memory_order_relaxed);
            if (group < where.groups().size()) { seen.group = text_of(where.groups()[group].name); }
            seen.leased_bytes = std::min(where.capacity(),
                                         difference(member.lease.end.load(memory_order_acquire),
                                                    member.lease.begin.load(memory_order_acquire)));
        }
        if (seen.alive && seen.role == member_role::producer) { ++status.producers; }
        if (seen.alive && seen.role == member_role::consumer) { ++status.consumers; }
        if (!seen.alive && seen.role == member_role::producer && death_truncates(where, slot)) {
            status.truncated = true;
        }
        status.members.push_back(std::move(seen));
    }

    auto least = status.bytes;
    bool any_group = false;
    for (const auto& group : where.groups()) {
        const auto state = group.state.load(memory_order_acquire);
        if (state == layout::group_state::empty) { continue; }
        any_group = true;
        group_status seen;
        seen.name = text_of(group.name);
        seen.kind =
            state == layout::group_state::ephemeral ? group_kind::ephemeral : group_kind::durable;
        const auto released =
            acknowledged_by(where, static_cast<std::uint32_t>(&group - where.groups().data()));
        least = std::min(least, released);
        seen.lag_bytes = difference(status.bytes, released);
        seen.lag_messages =
            difference(status.messages, group.claim_sequence.load(memory_order_relaxed));
        seen.redelivered = group.redelivered.load(memory_order_relaxed);
        seen.members = static_cast<std::uint32_t>(std::count_if(
            status.members.begin(), status.members.end(), [&](const member_status& member) {
                return member.alive && member.role == member_role::consumer &&
                       member.group == seen.name;
            }));
        status.groups.push_back(std::move(seen));
    }
    if (!any_group) { least = side.limit.load(memory_order_relaxed); }
    status.used_bytes = std::min(where.capacity(), difference(status.bytes, least));
    status.ended =
        status.producers == 0 && where.header().producers_ever.load(memory_order_relaxed) != 0;
    return status;
}

}  // namespace ringpipe
