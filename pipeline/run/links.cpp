#include "pipeline/run/links.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "common/error.hpp"
#include "pipeline/say.hpp"

namespace ringpipe::pipeline {

links::links(const run_plan& plan) {
    const auto base = fmt::format("run-{}-{:08x}", ::getpid(), std::random_device{}());
    all_.reserve(plan.rings.size());
    try {
        for (const auto& each : plan.rings) {
            ring_options how;
            how.capacity = each.capacity;
            how.mode = each.mode;
            auto name = base + "-" + each.name;
            auto made = ring::create(name, how);
            all_.push_back({std::move(name), made, std::nullopt});
            all_.back().holder.emplace(made, producer_options{.name = "run"});
        }
        for (const auto& each : plan.parts) {
            if (each.from) { all_[*each.from].it.add_group(each.group); }
        }
    } catch (...) {
        remove();
        throw;
    }
}

links::~links() { remove(); }

void links::remove() noexcept {
    for (const auto& each : all_) {
        try {
            ring::remove(each.name);
        } catch (const std::exception& e) { say("{}", e.what()); }
    }
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

}  // namespace ringpipe::pipeline
