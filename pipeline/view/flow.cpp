#include "pipeline/view/flow.hpp"

#include <algorithm>

namespace ringpipe::pipeline {
namespace {

// A ring that is this full is what its producers wait for.
constexpr double nearly_full = 0.8;

double grown(std::uint64_t before, std::uint64_t now) {
    return now > before ? static_cast<double>(now - before) : 0.0;
}

template <class Items, class Matches>
auto find(const Items& items, Matches matches) {
    const auto found = std::find_if(items.begin(), items.end(), matches);
    return found == items.end() ? nullptr : &*found;
}

group_flow flow_of(const group_status& group, const ring_status& now, const group_status* earlier,
                   const ring_status& before, double seconds) {
    group_flow flow;
    if (earlier == nullptr || seconds <= 0) { return flow; }
    flow.messages =
        grown(before.messages - earlier->lag_messages, now.messages - group.lag_messages) / seconds;
    flow.bytes = grown(before.bytes - earlier->lag_bytes, now.bytes - group.lag_bytes) / seconds;
    if (group.lag_bytes == 0) {
        flow.seconds_behind = 0;
    } else if (flow.bytes > 0) {
        flow.seconds_behind = static_cast<double>(group.lag_bytes) / flow.bytes;
    }
    return flow;
}

void mark_bottleneck(const ring_status& now, ring_flow& flow) {
    const auto most = std::max_element(
        now.groups.begin(), now.groups.end(),
        [](const group_status& a, const group_status& b) { return a.lag_bytes < b.lag_bytes; });
    if (most == now.groups.end() || now.producers == 0) { return; }
    const auto full = static_cast<double>(now.used_bytes) / static_cast<double>(now.capacity);
    if (full < nearly_full) { return; }
    flow.groups[static_cast<std::size_t>(most - now.groups.begin())].bottleneck = true;
}

}  // namespace

ring_flow flow_between(const observation& before, const observation& now, const ring_seen& ring) {
    ring_flow flow;
    flow.groups.resize(ring.status.groups.size());
    flow.members.resize(ring.status.members.size());
    mark_bottleneck(ring.status, flow);
    const auto* old = find(before.rings, [&](const ring_seen& r) { return r.name == ring.name; });
    // Of another ring that had its name the figures would be larger, or at least no smaller: then
    // one look shows nonsense.
    const double seconds = std::chrono::duration<double>(now.at - before.at).count();
    if (old == nullptr || !old->problem.empty() || seconds <= 0 ||
        old->status.bytes > ring.status.bytes) {
        return flow;
    }
    flow.messages = grown(old->status.messages, ring.status.messages) / seconds;
    flow.bytes = grown(old->status.bytes, ring.status.bytes) / seconds;
    for (std::size_t i = 0; i < flow.groups.size(); ++i) {
        const auto& group = ring.status.groups[i];
        const auto* earlier =
            find(old->status.groups, [&](const group_status& g) { return g.name == group.name; });
        const bool marked = flow.groups[i].bottleneck;
        flow.groups[i] = flow_of(group, ring.status, earlier, old->status, seconds);
        flow.groups[i].bottleneck = marked;
    }
    for (std::size_t i = 0; i < flow.members.size(); ++i) {
        const auto& member = ring.status.members[i];
        const auto* earlier = find(old->status.members, [&](const member_status& m) {
            return m.slot == member.slot && m.pid == member.pid && m.role == member.role;
        });
        if (earlier == nullptr) { continue; }
        flow.members[i].messages = grown(earlier->messages, member.messages) / seconds;
        const auto& then =
            old->processes[static_cast<std::size_t>(earlier - old->status.members.data())];
        const auto& here = ring.processes[i];
        if (then && here && then->started == here->started) {
            flow.members[i].cpu = (here->cpu_seconds - then->cpu_seconds) / seconds;
        }
    }
    return flow;
}

}  // namespace ringpipe::pipeline
