#include "pipeline/run/run_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "common/units.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 500ms;

// "stage 2" is "2" here.
std::string_view short_label(const part& what) {
    constexpr std::string_view word = "stage ";
    std::string_view label = what.label;
    if (label.starts_with(word)) { label.remove_prefix(word.size()); }
    return label;
}

int percent_full(const ring_status& ring) {
    return static_cast<int>(100 * static_cast<double>(ring.used_bytes) /
                            static_cast<double>(ring.capacity));
}

const group_flow* flow_of(const part& what, const ring_status& ring, const ring_flow& flow) {
    for (std::size_t i = 0; i < ring.groups.size(); ++i) {
        if (ring.groups[i].name == what.group) { return &flow.groups[i]; }
    }
    return nullptr;  // it has left
}

// Whoever sends there waits for who reads there.
bool is_full(const ring_flow& flow) {
    return std::any_of(flow.groups.begin(), flow.groups.end(),
                       [](const group_flow& group) { return group.bottleneck; });
}

}  // namespace

std::string view_line(const run_plan& plan, const std::vector<std::size_t>& copies,
                      const observation& before, const observation& now, std::size_t width) {
    std::string line;
    std::vector<ring_flow> flows;
    for (const auto& each : now.rings) { flows.push_back(flow_between(before, now, each)); }
    for (std::size_t place = 0; place < plan.parts.size(); ++place) {
        const auto& what = plan.parts[place];
        double rate = what.to ? flows[*what.to].messages : 0;
        bool bottleneck = false;
        if (what.from) {
            const auto* flow = flow_of(what, now.rings[*what.from].status, flows[*what.from]);
            rate = flow != nullptr ? flow->messages : 0;
            bottleneck =
                flow != nullptr && flow->bottleneck && !(what.to && is_full(flows[*what.to]));
        }
        // What only joins copies is worth the room if all wait for it.
        if (what.text.empty() && !bottleneck) { continue; }
        if (!line.empty()) { line += "  "; }
        if (what.from) {
            line += fmt::format("{}% > ", percent_full(now.rings[*what.from].status));
        }
        line += short_label(what);
        if (copies[place] != 1) { line += fmt::format(" ({}x)", copies[place]); }
        line += fmt::format(" {}", format_rate(rate, "msg"));
        if (bottleneck) { line += " BOTTLENECK"; }
    }
    if (line.size() > width) { line.resize(width); }
    return line;
}

void run_view::draw(const std::vector<std::size_t>& copies) {
    due_ = clock::now() + between_looks;
    const auto room = line_.room();
    if (room == 0) { return line_.clear(); }
    auto now = look();
    // The first look has nothing to compare with.
    if (!before_.rings.empty()) { line_.show(view_line(plan_, copies, before_, now, room)); }
    before_ = std::move(now);
}

observation run_view::look() const {
    observation all{clock::now(), {}};
    for (std::size_t i = 0; i < plan_.rings.size(); ++i) {
        auto status = links_.status(i);
        std::vector<std::optional<process_seen>> unseen(status.members.size());
        all.rings.push_back({links_.name(i), std::move(status), {}, std::move(unseen), 0});
    }
    return all;
}

}  // namespace ringpipe::pipeline
