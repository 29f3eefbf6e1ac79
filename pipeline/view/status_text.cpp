#include "pipeline/view/status_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/units.hpp"

namespace ringpipe::pipeline {
namespace {

std::string indented(const std::string& lines) {
    std::string out;
    for (std::size_t at = 0; at < lines.size();) {
        const auto end = lines.find('\n', at) + 1;
        out += "  " + lines.substr(at, end - at);
        at = end;
    }
    return out;
}

std::string groups_of(const ring_status& status) {
    if (status.groups.empty()) {
        return "groups      none yet: the first one starts at the beginning\n";
    }
    std::vector<row> rows{{"GROUP", "KIND", "MEMBERS", "WAITING", "UNACKNOWLEDGED", "REDELIVERED"}};
    for (const auto& group : status.groups) {
        rows.push_back({printable(group.name),
                        group.kind == group_kind::durable ? "durable" : "ephemeral",
                        format_count(group.members), format_count(group.lag_messages),
                        format_bytes(group.lag_bytes), format_count(group.redelivered)});
    }
    return "groups\n" + indented(table(rows, {2, 3, 4, 5}));
}

std::string state_of(const member_status& member) {
    if (!member.alive) { return "dead"; }
    if (member.waits_for == member_wish::nothing) { return "running"; }
    return fmt::format("waits for {}", wish_name(member.waits_for));
}

std::string members_of(const ring_status& status) {
    if (status.members.empty()) { return "members     none\n"; }
    std::vector<row> rows{{"SLOT", "ROLE", "STATE", "PID", "GROUP", "LEASED", "MESSAGES", "NAME"}};
    for (const auto& member : status.members) {
        const bool leases = member.role == member_role::consumer;
        rows.push_back({std::to_string(member.slot), std::string{role_name(member.role)},
                        state_of(member), std::to_string(member.pid),
                        leases ? printable(member.group) : "-",
                        leases ? format_bytes(member.leased_bytes) : "-",
                        format_count(member.messages), printable(member.name)});
    }
    return "members\n" + indented(table(rows, {0, 3, 5, 6}));
}

}  // namespace

std::string_view state_of(const ring_status& status) {
    if (status.truncated) { return "truncated"; }
    if (status.producers > 0) { return "open"; }
    return status.ended ? "ended" : "new";
}

std::string_view role_name(member_role role) {
    switch (role) {
        case member_role::producer: return "producer";
        case member_role::consumer: return "consumer";
        case member_role::tool: return "tool";
    }
    return "unknown";
}

std::string_view wish_name(member_wish wish) {
    switch (wish) {
        case member_wish::nothing: return "nothing";
        case member_wish::room: return "room";
        case member_wish::messages: return "messages";
    }
    return "unknown";
}

std::string printable(std::string_view text) {
    std::string out{text};
    std::replace_if(
        out.begin(), out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return out;
}

std::string table(const std::vector<row>& rows, const std::vector<std::size_t>& right) {
    std::vector<std::size_t> widths;
    for (const auto& cells : rows) {
        widths.resize(std::max(widths.size(), cells.size()));
        for (std::size_t i = 0; i < cells.size(); ++i) {
            widths[i] = std::max(widths[i], cells[i].size());
        }
    }
    std::string out;
    for (const auto& cells : rows) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool to_right = std::find(right.begin(), right.end(), i) != right.end();
            line += to_right ? fmt::format("{:>{}}  ", cells[i], widths[i])
                             : fmt::format("{:<{}}  ", cells[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string to_text(const ring_status& status) {
    auto out = fmt::format("ring        {}\n", printable(status.name));
    out += fmt::format("file        {}\n", printable(status.path));
    out += fmt::format("state       {}\n", state_of(status));
    out += fmt::format("used        {} of {}\n", format_bytes(status.used_bytes),
                       format_bytes(status.capacity));
    out += fmt::format("sent        {} messages, {} with their headers\n",
                       format_count(status.messages), format_bytes(status.bytes));
    if (status.dead_letters_dropped != 0) {
        out += fmt::format("LOST        {} dead letters: {}.dead had no room for them\n",
                           format_count(status.dead_letters_dropped), printable(status.name));
    }
    return out + groups_of(status) + members_of(status);
}

std::string to_text(const std::vector<bridge_seen>& bridges) {
    if (bridges.empty()) { return {}; }
    std::vector<row> rows{{"SLOT", "BRIDGE", "ADDRESS", "STATE", "ACKNOWLEDGED", "WAITING",
                           "FAILURES", "LAST ERROR"}};
    for (const auto& [slot, pid, state] : bridges) {
        rows.push_back({std::to_string(slot), printable(state.direction), printable(state.address),
                        connection_of(state), format_count(state.messages),
                        format_count(state.waiting), format_count(state.failures),
                        state.last_error.empty() ? "-" : printable(state.last_error)});
    }
    return "bridges\n" + indented(table(rows, {0, 4, 5, 6}));
}

}  // namespace ringpipe::pipeline
