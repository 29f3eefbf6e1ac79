#include "sync/lock_order.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>

#include "common/quote.hpp"
#include "sync/space_core.hpp"

namespace ringpipe::sync {
namespace {

struct held_lock {
    std::uint64_t inode;  // of the space: a process may have several handles of it
    std::uint32_t index;
    bool operator==(const held_lock&) const = default;
};

// The oldest first. A forked child begins with none: what it inherits is its parent's.
std::vector<held_lock>& held_by_this_thread() {
    thread_local std::vector<held_lock> held;
    thread_local pid_t whose = ::getpid();
    if (const auto now = ::getpid(); now != whose) {
        held.clear();
        whose = now;
    }
    return held;
}

struct {
    std::mutex guard;
    std::function<void(const lock_order_inversion&)> call;
} handler;

wanted_entry the_graph() {
    return {.what = layout::kind::lock_order,
            .name = "/lock order",  // no name that a user can give
            .parameter = layout::lock_order_body::edges,
            .size_for = [](std::uint64_t, std::uint32_t) -> std::uint64_t {
                return sizeof(layout::lock_order_body);
            }};
}

}  // namespace

std::string lock_order_inversion::text() const {
    std::vector<std::string> names;
    for (const auto& each : held) { names.push_back(in_quotes(each)); }
    auto line = fmt::format(
        "lock order inversion in space {}: process {} waits for {} while it "
        "holds {}",
        space, ::getpid(), in_quotes(wanted), fmt::join(names, ", "));
    if (before.empty()) { return line + ": it waits for itself"; }
    for (const auto& each : before) {
        line += fmt::format("; process {} waited for {} while it held {}", each.pid,
                            in_quotes(each.wanted), in_quotes(each.held));
    }
    return line;
}

void on_lock_order_inversion(std::function<void(const lock_order_inversion&)> call) {
    const std::lock_guard hold{handler.guard};
    handler.call = std::move(call);
}

lock_order::lock_order(const space_core& where)
    : where_{where}, body_{where.find_or_make(the_graph()).as<layout::lock_order_body>()} {}

void lock_order::locked(std::uint32_t index) const {
    held_by_this_thread().push_back({where_.inode(), index});
}

// Locked by another thread, it stays in that one's list: a debug mode may say too much then.
void lock_order::unlocked(std::uint32_t index) const {
    auto& held = held_by_this_thread();
    const auto found = std::find(held.rbegin(), held.rend(), held_lock{where_.inode(), index});
    if (found != held.rend()) { held.erase(std::next(found).base()); }
}

bool lock_order::add(std::uint32_t held, std::uint32_t wanted) {
    const auto mine =
        layout::lock_order_body::make(held, wanted, static_cast<std::uint32_t>(::getpid()));
    constexpr auto size = layout::lock_order_body::edges;
    const auto same_locks = [&](std::uint64_t e) {
        return static_cast<std::uint32_t>(e) == static_cast<std::uint32_t>(mine);
    };
    auto at = (held * 0x9e3779b1U + wanted) % size;
    for (std::uint32_t tries = 0; tries < size; ++tries, at = (at + 1) % size) {
        auto seen = body_->edge[at].load(std::memory_order_relaxed);
        if (same_locks(seen)) { return false; }
        // Sequentially consistent: of two that close a circle together, one at least sees the
        // other's edge.
        if (seen == 0 &&
            body_->edge[at].compare_exchange_strong(seen, mine, std::memory_order_seq_cst)) {
            return true;
        }
        if (same_locks(seen)) { return false; }
    }
    static std::once_flag told;
    std::call_once(told, [this, size] {
        fmt::print(stderr,
                   "ringpipe: the lock order graph of space {} is full ({} edges); further "
                   "inversions may be missed\n",
                   where_.name(), size);
    });
    return false;
}

// The edges of a way from one lock to another, each lock being held when the next was wanted; none
// if there is no way. Breadth first, so the shortest.
std::vector<std::uint64_t> lock_order::way(std::uint32_t from, std::uint32_t to) const {
    std::vector<std::uint64_t> reached_by(where_.entries(), 0);
    std::vector<std::uint32_t> next{from};
    for (std::size_t i = 0; i < next.size(); ++i) {
        for (const auto& edge : body_->edge) {
            const auto e = edge.load(std::memory_order_seq_cst);
            const auto wanted = layout::lock_order_body::wanted_of(e);
            if (e == 0 || layout::lock_order_body::held_of(e) != next[i] ||
                wanted >= reached_by.size() || reached_by[wanted] != 0 || wanted == from) {
                continue;
            }
            reached_by[wanted] = e;
            next.push_back(wanted);
        }
    }
    std::vector<std::uint64_t> steps;
    if (to >= reached_by.size() || reached_by[to] == 0) { return steps; }
    for (auto at = to; at != from; at = layout::lock_order_body::held_of(reached_by[at])) {
        steps.push_back(reached_by[at]);
    }
    std::reverse(steps.begin(), steps.end());
    return steps;
}

void lock_order::report(std::uint32_t wanted, const std::vector<std::uint64_t>& before) const {
    lock_order_inversion what{where_.name(), {}, where_.name_of(wanted), {}};
    for (const auto& each : held_by_this_thread()) {
        if (each.inode == where_.inode()) { what.held.push_back(where_.name_of(each.index)); }
    }
    for (const auto e : before) {
        what.before.push_back({where_.name_of(layout::lock_order_body::held_of(e)),
                               where_.name_of(layout::lock_order_body::wanted_of(e)),
                               layout::lock_order_body::pid_of(e)});
    }
    std::function<void(const lock_order_inversion&)> call;
    {
        const std::lock_guard hold{handler.guard};
        call = handler.call;
    }
    if (call) {
        call(what);
    } else {
        fmt::print(stderr, "ringpipe: {}\n", what.text());
    }
}

void lock_order::about_to_lock(std::uint32_t index, deadline until) {
    if (until == deadline::min()) { return; }
    const auto held = held_by_this_thread();  // the handler may lock something itself
    for (const auto& each : held) {
        if (each.inode != where_.inode()) { continue; }
        if (each.index == index) {
            report(index, {});
        } else if (add(each.index, index)) {
            const auto before = way(index, each.index);
            if (!before.empty()) { report(index, before); }
        }
    }
}

}  // namespace ringpipe::sync
