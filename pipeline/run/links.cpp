#include "pipeline/run/links.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "common/deadline.hpp"
#include "common/error.hpp"
#include "pipeline/say.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto most_for_end = 2s;  // of what the predecessor's guard is about to kill

// Nothing if there is no such ring. Throws error(group_in_use) if somebody is still there.
std::optional<ring> left_by_predecessor(const std::string& name) {
    std::optional<ring> found;
    try {
        found = ring::open(name);
    } catch (const error& e) {
        if (e.which() != errc::ring_not_found) { throw; }
        return std::nullopt;
    }
    const auto until = clock::now() + most_for_end;
    for (;;) {
        const auto now = found->status();
        if (now.producers == 0 && now.consumers == 0) { return found; }
        if (clock::now() > until) {
            throw error{errc::group_in_use,
                        fmt::format("cannot resume with ring {}: {} producers and {} consumers are "
                                    "still there; stop them first (ringpipe stat {})",
                                    name, now.producers, now.consumers, name)};
        }
        std::this_thread::sleep_for(10ms);
    }
}

// Enough slots for all who will come, and for some who may: more copies, and who joins by hand.
ring_options options_of(const run_plan& plan, std::size_t ring) {
    constexpr std::uint32_t usual_members = 128;
    constexpr std::uint32_t usual_groups = 16;
    constexpr std::uint32_t spare_members = 28;
    constexpr std::uint32_t spare_groups = 4;
    std::uint32_t members = 1;  // the run itself
    std::set<std::string> groups;
    for (const auto& each : plan.parts) {
        if (each.to == ring) { members += each.copies; }
        if (each.from == ring) {
            members += each.copies;
            groups.insert(each.group);
        }
        if (each.questions == ring) {
            members += each.copies;
            groups.insert(each.passed);
        }
    }
    ring_options how;
    how.capacity = plan.rings[ring].capacity;
    how.mode = plan.rings[ring].mode;
    how.members = std::max(usual_members, members + spare_members);
    how.groups = std::max(usual_groups, static_cast<std::uint32_t>(groups.size()) + spare_groups);
    return how;
}

ring created(const std::string& name, const ring_options& how, const std::string& run) {
    try {
        return ring::create(name, how);
    } catch (const error& e) {
        if (e.which() != errc::ring_exists) { throw; }
        throw error{errc::ring_exists,
                    fmt::format("cannot start the run {}: its ring {} is there already, of a run "
                                "that is under way, or was killed; choose another --name, go on "
                                "with --resume, or remove it with ringpipe rm {}",
                                run, name, name)};
    }
}

}  // namespace

links::links(const run_plan& plan)
    : base_{!plan.name.empty() ? plan.name
                               : fmt::format("run-{}-{:08x}", ::getpid(), std::random_device{}())},
      named_{!plan.name.empty()},
      keep_{plan.resume} {
    all_.reserve(plan.rings.size());
    try {
        make(plan);
        make_groups(plan);
    } catch (...) {
        remove();
        throw;
    }
    keep_ = false;
}

void links::make(const run_plan& plan) {
    std::vector<std::optional<ring>> found(plan.rings.size());
    for (std::size_t i = 0; plan.resume && i < found.size(); ++i) {
        found[i] = left_by_predecessor(base_ + "-" + plan.rings[i].name);
    }
    if (plan.resume && std::none_of(found.begin(), found.end(),
                                    [](const auto& each) { return each.has_value(); })) {
        throw error{errc::ring_not_found,
                    fmt::format("cannot resume {}: none of its rings is there", base_)};
    }
    for (std::size_t i = 0; i < plan.rings.size(); ++i) {
        const auto& each = plan.rings[i];
        auto name = base_ + "-" + each.name;
        if (found[i] && each.made_again) {
            ring::remove(name);
            found[i].reset();
        }
        const auto how = options_of(plan, i);
        auto made = found[i] ? *found[i] : created(name, how, base_);
        all_.push_back({std::move(name), made, std::nullopt, *how.members});
        all_.back().holder.emplace(made, producer_options{.name = "run"});
    }
}

void links::make_groups(const run_plan& plan) {
    for (const auto& each : plan.parts) {
        if (!each.from) { continue; }
        const auto& from = all_[*each.from].it;
        if (plan.resume && each.asks_again) {
            from.add_group(each.group);  // if it is not there
            from.remove_group(each.group);
        }
        from.add_group(each.group);
        if (each.questions) { all_[*each.questions].it.add_group(each.passed); }
    }
}

links::~links() { remove(); }

std::optional<std::size_t> links::find(const std::string& ring) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
        if (all_[i].name == ring) { return i; }
    }
    return std::nullopt;
}

void links::remove() noexcept {
    if (keep_) { return; }
    for (const auto& each : all_) {
        try {
            ring::remove(each.name);
        } catch (const std::exception& e) { say("{}", e.what()); }
    }
}

std::size_t links::room_for_members(std::size_t ring) const {
    constexpr std::size_t for_others = 8;
    const auto taken = status(ring).members.size() + for_others;
    return taken < all_[ring].members ? all_[ring].members - taken : 0;
}

void links::end(std::size_t ring) {
    all_[ring].it.clear_truncated();
    all_[ring].holder.reset();
}

void links::leave(std::size_t ring, const std::string& group) {
    try {
        all_[ring].it.remove_group(group);
    } catch (const error& e) {
        // A consumer that the user has started by hand: it goes on.
        if (e.which() != errc::group_in_use) { throw; }
    }
}

links::inbox links::inbox_of(const part& what) const {
    inbox result;
    if (!what.from) { return result; }
    const auto now = status(*what.from);
    result.messages = now.messages;
    result.ended = now.producers == 0;
    for (const auto& group : now.groups) {
        if (group.name != what.group) { continue; }
        result.not_begun = group.lag_messages;
        result.bytes_left = group.lag_bytes;
    }
    result.bytes_done = now.bytes - std::min(now.bytes, result.bytes_left);
    return result;
}

std::string links::waiting_for(const part& what) const {
    if (!what.from) { return ""; }
    const auto left = inbox_of(what);
    return fmt::format("; {} messages were sent to it, {} not begun, {} bytes not done",
                       left.messages, left.not_begun, left.bytes_left);
}

std::string links::summary_of(const part& what) const {
    const auto side = [&](std::optional<std::size_t> ring, const char* direction) {
        if (!ring) { return std::string{}; }
        const auto now = status(*ring);
        return fmt::format(", {} {} messages ({} bytes)", direction, now.messages, now.bytes);
    };
    return fmt::format("{} ({}){}{}", what.label, what.text, side(what.from, "in"),
                       side(what.to, "out"));
}

}  // namespace ringpipe::pipeline
