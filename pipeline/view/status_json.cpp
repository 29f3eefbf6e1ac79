#include "pipeline/view/status_json.hpp"

#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {
namespace {

using json = nlohmann::ordered_json;

json to_json(const group_status& group) {
    return {
        {"name", group.name},
        {"kind", group.kind == group_kind::durable ? "durable" : "ephemeral"},
        {"members", group.members},
        {"lag_messages", group.lag_messages},
        {"lag_bytes", group.lag_bytes},
        {"redelivered", group.redelivered},
    };
}

json to_json(const member_status& member) {
    json out = {
        {"slot", member.slot},
        {"role", role_name(member.role)},
        {"alive", member.alive},
        {"pid", member.pid},
        {"name", member.name},
        {"messages", member.messages},
        {"waits_for", wish_name(member.waits_for)},
    };
    if (member.role == member_role::consumer) {
        out["group"] = member.group;
        out["leased_bytes"] = member.leased_bytes;
    }
    return out;
}

json or_null(std::optional<double> value) { return value ? json(*value) : json(); }

template <class Items>
json list_of(const Items& items) {
    auto out = json::array();
    for (const auto& item : items) { out.push_back(to_json(item)); }
    return out;
}

}  // namespace

json to_json(const ring_status& status) {
    return {
        {"kind", "ring"},
        {"name", status.name},
        {"path", status.path},
        {"state", state_of(status)},
        {"capacity_bytes", status.capacity},
        {"used_bytes", status.used_bytes},
        {"messages", status.messages},
        {"sent_bytes_with_headers", status.bytes},
        {"producers", status.producers},
        {"consumers", status.consumers},
        {"ended", status.ended},
        {"truncated", status.truncated},
        {"dead_letters_dropped", status.dead_letters_dropped},
        {"groups", list_of(status.groups)},
        {"members", list_of(status.members)},
    };
}

json to_json(const bridge_seen& bridge) {
    using namespace std::chrono;
    const auto& state = bridge.state;
    return {
        {"slot", bridge.slot},
        {"pid", bridge.pid},
        {"direction", state.direction},
        {"address", state.address},
        {"connected", state.connected},
        {"since", duration<double>(state.since.time_since_epoch()).count()},
        {"acknowledged_messages", state.messages},
        {"acknowledged_bytes", state.bytes},
        {"waiting_messages", state.waiting},
        {"failures", state.failures},
        {"last_error", state.last_error},
    };
}

json to_json(const ring_seen& ring, const ring_flow& flow) {
    auto out = to_json(ring.status);
    out["dead_letters"] = ring.dead_letters;
    out["bridges"] = list_of(ring.bridges);
    out["messages_per_second"] = flow.messages;
    out["bytes_per_second"] = flow.bytes;
    for (std::size_t i = 0; i < flow.groups.size(); ++i) {
        auto& group = out["groups"][i];
        group["messages_per_second"] = flow.groups[i].messages;
        group["bytes_per_second"] = flow.groups[i].bytes;
        group["seconds_behind"] = or_null(flow.groups[i].seconds_behind);
        group["bottleneck"] = flow.groups[i].bottleneck;
    }
    for (std::size_t i = 0; i < flow.members.size(); ++i) {
        auto& member = out["members"][i];
        member["messages_per_second"] = flow.members[i].messages;
        member["cpu"] = or_null(flow.members[i].cpu);
        member["stopped"] = ring.processes[i] ? json(ring.processes[i]->stopped) : json();
    }
    return out;
}

std::string dump(const json& value) {
    return value.dump(2, ' ', false, json::error_handler_t::replace);
}

std::string dump_on_one_line(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace ringpipe::pipeline
