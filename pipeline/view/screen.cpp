#include "pipeline/view/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>

#include "common/units.hpp"
#include "pipeline/view/pool_text.hpp"
#include "pipeline/view/space_text.hpp"
#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {
namespace {

constexpr std::size_t bar_columns = 10;
constexpr std::size_t history_columns = 24;

constexpr std::array<std::string_view, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::string_view ascii_blocks = "_.:-=+*#";

// Of UTF-8, in characters; what we draw takes one column each.
std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

std::string cut(std::string_view text, std::size_t columns) {
    std::size_t end = 0;
    for (std::size_t seen = 0; end < text.size(); ++end) {
        const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0U) != 0x80U;
        if (begins && seen++ == columns) { break; }
    }
    return std::string{text.substr(0, end)};
}

std::string fitted(std::string_view text, std::size_t columns) {
    if (columns_of(text) > columns) { return cut(text, columns - 1) + "~"; }
    return std::string{text} + std::string(columns - columns_of(text), ' ');
}

screen_line cut(const screen_line& line, std::size_t width) {
    screen_line out;
    for (const auto& [text, how] : line) {
        out.push_back({cut(text, width), how});
        width -= columns_of(out.back().text);
    }
    return out;
}

std::string behind(const group_status& group, const group_flow& flow) {
    if (group.members == 0) { return "nobody"; }
    if (!flow.seconds_behind) { return "stuck"; }
    if (*flow.seconds_behind < 0.0005) { return "0 s"; }
    // As much as a clock can say is more than anybody waits for.
    constexpr std::chrono::duration<double> most{365.0 * 24 * 3600};
    return format_duration(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::min(std::chrono::duration<double>{*flow.seconds_behind}, most)));
}

piece state_of(const member_status& member, const std::optional<process_seen>& process) {
    if (!member.alive) { return {"dead", style::warning}; }
    if (process && process->stopped) { return {"stopped", style::warning}; }
    switch (member.waits_for) {
        case member_wish::room: return {"waits for room", style::warning};
        case member_wish::messages: return {"waits for messages", style::dim};
        case member_wish::nothing: break;
    }
    return {"running", style::good};
}

}  // namespace

screen_line screen::heading() {
    return {{fmt::format("{:<20} {:>11} {:>9} {:>8} {:>13} {}", "RING, GROUP, MEMBER", "WAITING",
                         "BYTES", "BEHIND", "RATE", "STATE"),
             style::strong}};
}

void screen::show(observation now) {
    before_ = std::exchange(now_, std::move(now));
    std::map<std::string, std::deque<double>> kept;
    for (const auto& ring : now_.rings) {
        auto& values = kept[ring.name] = std::move(history_[ring.name]);
        values.push_back(flow_between(before_, now_, ring).messages);
        if (values.size() > history_columns) { values.pop_front(); }
    }
    history_ = std::move(kept);
}

std::string screen::bar(double share) const {
    const auto full = static_cast<std::size_t>(
        std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(bar_columns)));
    std::string out;
    for (std::size_t i = 0; i < bar_columns; ++i) {
        out += i < full ? (unicode_ ? "█" : "#") : (unicode_ ? "░" : ".");
    }
    return out;
}

std::string screen::curve(const std::deque<double>& values) const {
    const auto most = values.empty() ? 0.0 : *std::max_element(values.begin(), values.end());
    std::string out(history_columns - values.size(), ' ');
    for (const auto value : values) {
        const auto share = most > 0 ? value / most : 0;
        const auto step = static_cast<std::size_t>(std::lround(share * (blocks.size() - 1)));
        if (unicode_) {
            out += blocks[step];
        } else {
            out += ascii_blocks[step];
        }
    }
    return out;
}

// Columns as in heading(): 20, 11, 9, 8, 13, and what is left of 80.
void screen::add_ring(std::vector<screen_line>& to, const entry& one) const {
    const auto& status = one.ring->status;
    const auto share =
        static_cast<double>(status.used_bytes) / static_cast<double>(status.capacity);
    const auto state = state_of(status);
    to.push_back(
        {{fitted(printable(one.ring->name), 20), style::strong},
         {" " + bar(share), share >= 0.8 ? style::warning : style::good},
         {fmt::format(" {:>3.0f} % {:>13} {:>13} ", share * 100,
                      "of " + format_bytes(status.capacity), format_rate(one.flow.messages, "msg")),
          style::plain},
         {std::string{state}, state == "truncated" ? style::warning : style::dim}});
    screen_line more{{"  " + curve(history_.at(one.ring->name)), style::good},
                     {fmt::format(" {} sent, {}", format_count(status.messages),
                                  format_rate(one.flow.bytes, "B")),
                      style::dim}};
    if (one.ring->dead_letters != 0) {
        more.push_back({fmt::format(", {} dead letters", format_count(one.ring->dead_letters)),
                        style::warning});
    }
    to.push_back(std::move(more));
}

void screen::add_group(std::vector<screen_line>& to, const entry& one, std::size_t index) const {
    const auto& group = one.ring->status.groups[index];
    const auto& flow = one.flow.groups[index];
    screen_line line{{"  " + fitted(printable(group.name), 18), style::plain},
                     {fmt::format(" {:>11} {:>9} {:>8} {:>13} ", format_count(group.lag_messages),
                                  format_bytes(group.lag_bytes), behind(group, flow),
                                  format_rate(flow.messages, "msg")),
                      style::plain}};
    if (flow.bottleneck) { line.push_back({"BOTTLENECK ", style::warning}); }
    if (group.redelivered != 0) {
        line.push_back(
            {fmt::format("{} redelivered", format_count(group.redelivered)), style::warning});
    }
    to.push_back(std::move(line));
}

void screen::add_member(std::vector<screen_line>& to, const entry& one, std::size_t index) const {
    const auto& member = one.ring->status.members[index];
    const auto& flow = one.flow.members[index];
    const auto state = state_of(member, one.ring->processes[index]);
    auto who = printable(member.name.empty() ? role_name(member.role) : member.name);
    if (who.starts_with("ringpipe-")) { who.erase(0, std::string_view{"ringpipe-"}.size()); }
    to.push_back({{fmt::format("    {} {:>11} ", fitted(who, 16), member.pid), style::dim},
                  {fitted(state.text, 18), state.how},
                  {fmt::format(" {:>13} {}", format_rate(flow.messages, "msg"),
                               flow.cpu ? fmt::format("{:.0f} % CPU", *flow.cpu * 100) : ""),
                   style::plain}});
    for (const auto& bridge : one.ring->bridges) {
        if (bridge.slot == member.slot) { add_bridge(to, bridge.state); }
    }
}

void screen::add_bridge(std::vector<screen_line>& to, const bridge::bridge_state& state) {
    screen_line line{
        {"      " + connection_of(state), state.connected ? style::good : style::warning},
        {fmt::format(" {} {}, {} acknowledged, {} waiting",
                     state.direction == "out" ? "to" : "from", printable(state.address),
                     format_count(state.messages), format_count(state.waiting)),
         style::dim}};
    // What is over is of no interest here.
    if (!state.connected || state.waiting != 0) {
        if (!state.last_error.empty()) {
            line.push_back({" " + printable(state.last_error), style::warning});
        }
    }
    to.push_back(std::move(line));
}

void screen::add_space(std::vector<screen_line>& to, const space_seen& one) const {
    if (!one.problem.empty()) {
        to.push_back({{printable(one.problem), style::warning}});
        return;
    }
    const auto& status = one.status;
    to.push_back({{fitted(printable(one.name), 20), style::strong},
                  {fmt::format(" space, {} processes, {} names, {} of {}", status.members.size(),
                               status.primitives.size(), format_bytes(status.used),
                               format_bytes(status.size)),
                   style::plain}});
    if (!members) { return; }
    for (const auto& each : status.primitives) {
        const bool dead = std::any_of(each.participants.begin(), each.participants.end(),
                                      [](const sync::participant& who) { return !who.alive; });
        to.push_back(
            {{fmt::format("  {} {:<18} ", fitted(printable(each.name), 18), each.kind), style::dim},
             {fmt::format("{:<22} ", printable(state_of(each))),
              wants_attention(each) ? style::warning : style::plain},
             {participants_of(each), dead ? style::warning : style::good}});
    }
}

void screen::add_pool(std::vector<screen_line>& to, const pool_seen& one) const {
    if (!one.problem.empty()) {
        to.push_back({{printable(one.problem), style::warning}});
        return;
    }
    const auto& outline = one.outline;
    const auto& now = outline.status;
    const auto old = std::find_if(before_.pools.begin(), before_.pools.end(), [&](const auto& p) {
        return p.name == one.name && p.outline.owner_pid == outline.owner_pid;
    });
    const std::chrono::duration<double> since = now_.at - before_.at;
    double rate = 0;
    if (old != before_.pools.end() && since.count() > 0) {
        const auto ended = [](const pool::pool_status& s) {
            return static_cast<double>(s.done + s.failed);
        };
        rate = std::max(0.0, ended(now) - ended(old->outline.status)) / since.count();
    }
    const auto state = state_of(outline);
    to.push_back({{fitted(printable(one.name), 20), style::strong},
                  {fmt::format(" pool, {} waiting, {} running, {} ", format_count(now.waiting),
                               format_count(now.running), format_rate(rate, "task")),
                   style::plain},
                  {std::string{state}, state == "open" ? style::dim : style::warning}});
    screen_line more{
        {fmt::format("  {} done, {} failed, {} of {} workers", format_count(now.done),
                     format_count(now.failed), now.workers.size(), outline.max_workers),
         style::dim}};
    if (now.worker_deaths != 0) {
        more.push_back({fmt::format(", {} died", format_count(now.worker_deaths)), style::warning});
    }
    to.push_back(std::move(more));
    for (std::size_t i = 0; members && i < now.workers.size(); ++i) {
        const auto& worker = now.workers[i];
        const bool stopped = one.processes[i] && one.processes[i]->stopped;
        to.push_back(
            {{fmt::format("    {} {:>11} ", fitted("worker", 16), worker.pid), style::dim},
             {fitted(stopped ? "stopped" : state_of(worker), 22), stopped          ? style::warning
                                                                  : worker.at_work ? style::good
                                                                                   : style::dim},
             {fmt::format(" {} done, {} failed", format_count(worker.done),
                          format_count(worker.failed)),
              style::plain}});
    }
}

std::vector<screen::entry> screen::sorted() const {
    std::vector<entry> all;
    for (const auto& ring : now_.rings) {
        all.push_back({&ring, flow_between(before_, now_, ring)});
    }
    const auto key = [this](const entry& one) {
        if (order == sort_by::rate) { return one.flow.bytes; }
        std::uint64_t most = 0;
        for (const auto& group : one.ring->status.groups) {
            most = std::max(most, group.lag_bytes);
        }
        return static_cast<double>(most);
    };
    if (order != sort_by::name) {
        std::stable_sort(all.begin(), all.end(),
                         [&](const entry& a, const entry& b) { return key(a) > key(b); });
    }
    return all;
}

std::vector<screen_line> screen::lines(std::size_t width) const {
    std::vector<screen_line> all;
    for (const auto& one : sorted()) {
        if (!one.ring->problem.empty()) {
            all.push_back({{printable(one.ring->problem), style::warning}});
            continue;
        }
        add_ring(all, one);
        const auto& status = one.ring->status;
        const auto add_members = [&](auto belongs) {
            for (std::size_t i = 0; members && i < status.members.size(); ++i) {
                if (belongs(status.members[i])) { add_member(all, one, i); }
            }
        };
        add_members([](const member_status& m) { return m.role != member_role::consumer; });
        for (std::size_t i = 0; i < status.groups.size(); ++i) {
            add_group(all, one, i);
            add_members([&](const member_status& m) {
                return m.role == member_role::consumer && m.group == status.groups[i].name;
            });
        }
    }
    for (const auto& one : now_.spaces) { add_space(all, one); }
    for (const auto& one : now_.pools) { add_pool(all, one); }
    if (all.empty()) {
        all.push_back(
            {{"no rings, spaces or pools in /dev/shm; ringpipe demo makes a ring", style::dim}});
    }
    for (auto& line : all) { line = cut(line, width); }
    return all;
}

}  // namespace ringpipe::pipeline
