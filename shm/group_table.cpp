#include "shm/group_table.hpp"

#include <fmt/format.h>

#include <cstring>
#include <mutex>

#include "common/error.hpp"
#include "shm/group_lock.hpp"
#include "shm/name.hpp"
#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

namespace {

constexpr std::uint32_t nobody = ~std::uint32_t{0};

bool is_named(const layout::group& group, std::string_view name) {
    return group.state.load(memory_order_acquire) != layout::group_state::empty &&
           name == std::string_view{group.name, ::strnlen(group.name, sizeof group.name)};
}

bool has_living_member(const segment& where, std::uint32_t index, std::uint32_t but) {
    const auto generation = where.groups()[index].generation.load(memory_order_relaxed);
    for (std::uint32_t slot = 0; slot < where.members().size(); ++slot) {
        const auto& member = where.members()[slot];
        if (slot != but && member.what.load(memory_order_acquire) == layout::role::consumer &&
            member.group.load(memory_order_relaxed) == index &&
            member.generation.load(memory_order_relaxed) == generation && where.occupied(slot)) {
            return true;
        }
    }
    return false;
}

// A group that is gone holds no producer back.
void wake_room(const segment& where) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (wait_word::announced(where.room().waiting)) {
        wait_word::wake(where.room().waiting, futex::everyone);
    }
}

// Number of the message at `at`, or of the next to be sent.
std::uint64_t sequence_at(const segment& where, layout::position at) {
    const auto& side = where.append();
    return at < side.tail.load(memory_order_relaxed) ? where.messages().at(at).sequence
                                                     : side.sequence.load(memory_order_relaxed);
}

}  // namespace

std::optional<group_place> find_group(const segment& where, std::string_view name) {
    for (std::uint32_t i = 0; i < where.groups().size(); ++i) {
        const auto& group = where.groups()[i];
        if (is_named(group, name)) {
            return group_place{i, group.generation.load(memory_order_relaxed)};
        }
    }
    return {};
}

group_place find_or_make_group(const segment& where, layout::member_id me, std::string_view name,
                               start_at from, group_kind kind) {
    check_name(name, "group");
    if (const auto place = find_group(where, name)) { return *place; }
    std::uint32_t index = 0;
    while (index < where.groups().size() &&
           where.groups()[index].state.load(memory_order_relaxed) != layout::group_state::empty) {
        ++index;
    }
    if (index == where.groups().size()) {
        throw error{
            errc::groups_full,
            fmt::format(
                "cannot make group {} in ring {}: all {} slots of its group table are in use; "
                "remove a "
                "group with 'ringpipe rm {} --group NAME', or make the ring with more of them",
                name, where.file().name(), index, where.file().name())};
    }
    auto& group = where.groups()[index];
    // At the cached limit everything is still there, and nobody moves it while we hold the tail
    // lock.
    const auto begin = from == start_at::earliest ? where.append().limit.load(memory_order_relaxed)
                                                  : where.append().tail.load(memory_order_relaxed);
    group_lock side{where, index, me};
    const std::lock_guard hold{side};
    // A death anywhere before the last store leaves an empty entry.
    group.generation.store(group.generation.load(memory_order_relaxed) + 1, memory_order_relaxed);
    group.member_count.store(0, memory_order_relaxed);
    for (auto& bits : group.members) { bits.store(0, memory_order_relaxed); }
    group.claim.store(begin, memory_order_relaxed);
    group.claim_sequence.store(sequence_at(where, begin), memory_order_relaxed);
    group.redelivered.store(0, memory_order_relaxed);
    group.released.store(begin, memory_order_relaxed);
    std::memset(group.name, 0, sizeof group.name);
    std::memcpy(group.name, name.data(), name.size());
    // Release: pairs with the acquire in least_released() and in find().
    group.state.store(
        kind == group_kind::durable ? layout::group_state::durable : layout::group_state::ephemeral,
        memory_order_release);
    return {index, group.generation.load(memory_order_relaxed)};
}

void remove_group(const segment& where, std::string_view name) {
    const auto place = find_group(where, name);
    if (!place) {
        throw error{
            errc::group_not_found,
            fmt::format("cannot remove group {} of ring {}: there is none; see 'ringpipe stat {}'",
                        name, where.file().name(), where.file().name())};
    }
    if (has_living_member(where, place->index, nobody)) {
        throw error{errc::group_in_use,
                    fmt::format("cannot remove group {} of ring {}: it has a living member; stop "
                                "its consumers first",
                                name, where.file().name())};
    }
    where.groups()[place->index].state.store(layout::group_state::empty, memory_order_seq_cst);
    wake_room(where);
}

void remove_if_deserted(const segment& where, std::uint32_t index, std::uint32_t leaving) {
    auto& group = where.groups()[index];
    if (group.state.load(memory_order_relaxed) == layout::group_state::ephemeral &&
        !has_living_member(where, index, leaving)) {
        group.state.store(layout::group_state::empty, memory_order_seq_cst);
        wake_room(where);
    }
}

void wake_all_groups(const segment& where) {
    for (auto& group : where.groups()) {
        if (wait_word::announced(group.waiting)) {
            wait_word::wake(group.waiting, futex::everyone);
        }
    }
}

}  // namespace ringpipe
