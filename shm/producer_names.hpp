// Producers that can resume, and the mark "truncated" that belongs to a producer without a name, or
// to the name.
#pragma once

#include <string_view>

#include "ringpipe/shm/segment.hpp"

namespace ringpipe {

// The entry of that name, made if it is not there. Takes the tail lock. Throws error(name_in_use)
// if a living member has it, error(names_full).
std::uint32_t find_or_make_name(const segment& where, layout::member_id me, std::string_view name);

// The name is ours, and what its last owner left is no longer missing: we go on from there. We are
// announced as a producer, so that our own death counts from now on. Takes the tail lock.
void take_name(const segment& where, layout::member_id me, std::uint32_t index);

// The death of the producer in that slot leaves the stream incomplete: nobody has resumed it.
[[nodiscard]] bool death_truncates(const segment& where, std::uint32_t slot);

// The producer in that slot died or gave up.
void mark_truncated(const segment& where, std::uint32_t slot);

[[nodiscard]] bool is_truncated(const segment& where);

// Whatever is missing, the caller knows about it: no mark is left, also not of names and dead
// slots.
void clear_truncated(const segment& where);

}  // namespace ringpipe
