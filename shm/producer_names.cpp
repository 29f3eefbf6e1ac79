#include "shm/producer_names.hpp"

#include <fmt/format.h>

#include <cstring>
#include <mutex>

#include "common/error.hpp"
#include "shm/append_lock.hpp"
#include "shm/name.hpp"
#include "shm/presence.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

namespace {

std::string_view name_of(const layout::named_producer& entry) {
    return {entry.name, ::strnlen(entry.name, sizeof entry.name)};
}

void refuse_if_alive(const segment& where, layout::member_id me,
                     const layout::named_producer& entry) {
    const auto owner = entry.owner.load(memory_order_relaxed);
    if (owner != me && where.alive(owner)) {
        throw error{
            errc::name_in_use,
            fmt::format("cannot attach to ring {} as producer {}: a living one has that name; "
                        "stop it, or choose another",
                        where.file().name(), name_of(entry))};
    }
}

}  // namespace

std::uint32_t find_or_make_name(const segment& where, layout::member_id me, std::string_view name) {
    check_name(name, "producer");
    append_lock tail{where, me};
    const std::lock_guard hold{tail};
    const auto names = where.named();
    for (std::uint32_t i = 0; i < names.size(); ++i) {
        auto& entry = names[i];
        if (name_of(entry) == name) {
            refuse_if_alive(where, me, entry);
            return i;
        }
        if (name_of(entry).empty()) {
            entry.owner.store(0, memory_order_relaxed);
            entry.has_id.store(0, memory_order_relaxed);
            entry.incomplete.store(0, memory_order_relaxed);
            // The first character last: it makes the entry. A death before it leaves it free.
            std::memcpy(entry.name + 1, name.data() + 1, name.size() - 1);
            entry.name[name.size()] = 0;
            std::atomic_thread_fence(memory_order_release);
            entry.name[0] = name[0];
            return i;
        }
    }
    throw error{
        errc::names_full,
        fmt::format("cannot attach to ring {} as producer {}: it remembers {} names already; use "
                    "one of them, or a new ring",
                    where.file().name(), name, names.size())};
}

void take_name(const segment& where, layout::member_id me, std::uint32_t index) {
    append_lock tail{where, me};
    const std::lock_guard hold{tail};
    auto& entry = where.named()[index];
    refuse_if_alive(where, me, entry);
    // Owner first: from here on the dead slot of the last owner no longer marks the name.
    entry.owner.store(me, memory_order_seq_cst);
    entry.incomplete.store(0, memory_order_seq_cst);
}

bool death_truncates(const segment& where, std::uint32_t slot) {
    const auto named = where.members()[slot].named.load(memory_order_acquire);
    if (named == 0 || named > where.named().size()) { return true; }
    // Somebody else has the name by now: he has resumed what this one left.
    const auto owner = where.named()[named - 1].owner.load(memory_order_seq_cst);
    return owner != 0 && layout::slot_of(owner) == slot;
}

void mark_truncated(const segment& where, std::uint32_t slot) {
    if (!death_truncates(where, slot)) { return; }
    const auto named = where.members()[slot].named.load(memory_order_acquire);
    auto& mark = named == 0 || named > where.named().size() ? where.header().truncated
                                                            : where.named()[named - 1].incomplete;
    mark.store(1, memory_order_seq_cst);
}

bool is_truncated(const segment& where) {
    bool truncated = where.header().truncated.load(memory_order_seq_cst) != 0;
    for (const auto& entry : where.named()) {
        truncated = truncated || entry.incomplete.load(memory_order_seq_cst) != 0;
    }
    return truncated;
}

void clear_truncated(const segment& where) {
    presence taker{where.file().path(), where.file().descriptor()};
    for (std::uint32_t slot = 0; slot < where.members().size(); ++slot) {
        auto& what = where.members()[slot].what;
        if (what.load(memory_order_acquire) == layout::role::producer && taker.try_hold(slot)) {
            what.store(layout::role::none, memory_order_release);
            taker.let_go(slot);
        }
    }
    where.header().truncated.store(0, memory_order_seq_cst);
    for (auto& entry : where.named()) { entry.incomplete.store(0, memory_order_seq_cst); }
}

}  // namespace ringpipe
