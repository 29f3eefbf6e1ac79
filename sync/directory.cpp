// The names in a space: found, or made under the directory's lock.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "common/error.hpp"
#include "shm/name.hpp"
#include "shm/owner_lock.hpp"
#include "sync/space_core.hpp"

namespace ringpipe::sync {
namespace {

[[noreturn]] void refuse_corrupt(const space_core& where, std::string_view name) {
    throw error{errc::corrupt, fmt::format("cannot use {} in space {}: its directory entry is "
                                           "corrupt; stop the programs and remove the space",
                                           name, where.name())};
}

std::uint64_t whole_lines(std::uint64_t size) {
    return (size + layout::line - 1) / layout::line * layout::line;
}

}  // namespace

std::optional<place> space_core::find(const wanted_entry& wanted) const {
    for (std::uint32_t i = 0; i < entries(); ++i) {
        const auto& e = map_.entries()[i];
        // Acquire: pairs with make()'s release, so that the rest is there.
        const auto what = e.what.load(std::memory_order_acquire);
        if (what == layout::kind::none) { return std::nullopt; }  // they are made in turn
        if (name_in(e) != wanted.name) { continue; }
        const auto parameter = e.parameter.load(std::memory_order_relaxed);
        if (what != wanted.what) {
            throw error{errc::options_differ,
                        fmt::format("cannot use {} in space {} as a {}: it is a {}; choose "
                                    "another name",
                                    wanted.name, name(), noun_of(wanted.what), noun_of(what))};
        }
        if (wanted.parameter && *wanted.parameter != parameter) {
            throw error{
                errc::options_differ,
                fmt::format("cannot use the {} {} in space {}: it was made for {}, not {}; "
                            "ask for the same, or choose another name",
                            noun_of(what), wanted.name, name(), parameter, *wanted.parameter)};
        }
        const auto offset = e.offset.load(std::memory_order_relaxed);
        const auto size = e.size.load(std::memory_order_relaxed);
        // The parameter is 32 bits, so that no size computed from it overflows.
        if (parameter > 0xffffffffU || offset % layout::line != 0 || size > map_.arena().size() ||
            offset > map_.arena().size() - size || size != wanted.size_for(parameter, members())) {
            refuse_corrupt(*this, wanted.name);
        }
        return place{map_.arena().data() + offset, parameter, i};
    }
    return std::nullopt;
}

// Crash window: before the last store the entry is still free, and whoever comes next starts from
// nothing; so the lock of a dead owner needs no repair.
place space_core::make(const wanted_entry& wanted) const {
    std::uint64_t end = 0;
    std::uint32_t index = 0;
    for (; index < entries(); ++index) {
        const auto& e = map_.entries()[index];
        if (e.what.load(std::memory_order_acquire) == layout::kind::none) { break; }
        const auto offset = e.offset.load(std::memory_order_relaxed);
        const auto size = e.size.load(std::memory_order_relaxed);
        if (offset > map_.arena().size() || size > map_.arena().size() - offset) {
            refuse_corrupt(*this, name_in(e));
        }
        end = std::max(end, whole_lines(offset + size));
    }
    if (index == entries()) {
        throw error{errc::names_full,
                    fmt::format("cannot make {} in space {}: all its {} entries are in use; make "
                                "the space with more entries",
                                wanted.name, name(), entries())};
    }
    const auto size = wanted.size_for(*wanted.parameter, members());
    if (end > map_.arena().size() || size > map_.arena().size() - end) {
        throw error{
            errc::no_space,
            fmt::format("cannot make {} in space {}: it takes {} bytes, and {} of {} are "
                        "left; make the space with a larger size",
                        wanted.name, name(), size,
                        map_.arena().size() - std::min<std::uint64_t>(end, map_.arena().size()),
                        map_.arena().size())};
    }
    auto& e = map_.entries()[index];
    auto* const body = map_.arena().data() + end;
    std::memset(body, 0, size);  // a creator that died may have begun
    if (wanted.initialize) { wanted.initialize(body); }
    std::memset(e.name, 0, sizeof e.name);
    std::memcpy(e.name, wanted.name.data(), wanted.name.size());
    e.parameter.store(*wanted.parameter, std::memory_order_relaxed);
    e.offset.store(end, std::memory_order_relaxed);
    e.size.store(size, std::memory_order_relaxed);
    e.what.store(wanted.what, std::memory_order_release);
    return {body, *wanted.parameter, index};
}

place space_core::find_or_make(const wanted_entry& wanted) const {
    const auto me = id();
    if (wanted.what != layout::kind::lock_order) { check_name(wanted.name, noun_of(wanted.what)); }
    if (auto found = find(wanted)) { return *found; }
    if (!wanted.parameter) {
        throw error{errc::not_found,
                    fmt::format("cannot open the {} {}: space {} has none of that name; say how "
                                "large it is to be, and it is made",
                                noun_of(wanted.what), wanted.name, name())};
    }
    struct {
        owner_lock word;
        layout::member_id me;
        void lock() { (void)word.lock(me); }
        void unlock() { word.unlock(me); }
    } directory{owner_lock{*this, map_.header().directory_lock}, me};
    const std::lock_guard hold{directory};
    if (auto found = find(wanted)) { return *found; }
    return make(wanted);
}

// Some word says it, among those that could be a holder's. One too many does no harm.
bool space_core::names_anywhere(layout::member_id who) const {
    const auto says_it = [&](const std::atomic<std::uint32_t>& word) {
        return (word.load(std::memory_order_relaxed) & layout::member_bits) == who;
    };
    if (says_it(map_.header().directory_lock)) { return true; }
    for (const auto& e : map_.entries()) {
        const auto what = e.what.load(std::memory_order_acquire);
        if (what == layout::kind::none) { break; }
        const auto offset = e.offset.load(std::memory_order_relaxed);
        auto size = e.size.load(std::memory_order_relaxed);
        // Values and orders of locks are nobody's.
        if (what == layout::kind::cell) { size = sizeof(layout::cell_body); }
        if (what == layout::kind::lock_order) { continue; }
        if (offset % layout::line != 0 || size > map_.arena().size() ||
            offset > map_.arena().size() - size) {
            continue;  // corrupt: who opens it is told
        }
        const auto* words =
            reinterpret_cast<const std::atomic<std::uint32_t>*>(map_.arena().data() + offset);
        if (std::any_of(words, words + size / sizeof *words, says_it)) { return true; }
    }
    return false;
}

std::string space_core::name_of(std::uint32_t index) const {
    return index < entries() ? std::string{name_in(map_.entries()[index])} : "?";
}

}  // namespace ringpipe::sync
