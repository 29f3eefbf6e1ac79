// The groups of a ring: find, make, remove. All under the tail lock, so that a group appears at a
// place that no producer is just giving away.
#pragma once

#include <optional>
#include <string_view>

#include "ringpipe/shm/membership.hpp"
#include "ringpipe/shm/ring.hpp"

namespace ringpipe {

// No lock needed: a hint, unless the tail lock is held.
std::optional<group_place> find_group(const segment& where, std::string_view name);

// Tail lock held by `me`. Makes the group unless it is there; throws error(groups_full). Takes the
// group's lock inside the tail lock: a producer may be at work on a group that was just removed.
// That order never deadlocks, since nobody takes the tail lock while he holds a group lock.
group_place find_or_make_group(const segment& where, layout::member_id me, std::string_view name,
                               start_at from, group_kind kind);

// Tail lock held. Throws error(group_not_found), error(group_in_use).
void remove_group(const segment& where, std::string_view name);

// Tail lock held. Removes an ephemeral group that has no living member but `leaving`.
void remove_if_deserted(const segment& where, std::uint32_t index, std::uint32_t leaving);

// Wakes everybody who waits for messages, in every group: the last producer has left.
void wake_all_groups(const segment& where);

}  // namespace ringpipe
