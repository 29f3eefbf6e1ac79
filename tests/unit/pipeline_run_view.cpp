// The line that `ringpipe run` shows of itself.
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "pipeline/run/run_view.hpp"

using namespace ringpipe;
using namespace ringpipe::pipeline;

namespace {

using namespace std::chrono_literals;

struct flowing {
    std::uint64_t sent = 0;
    std::uint64_t waiting = 0;
    std::uint64_t used = 0;
};

ring_seen seen(const std::string& name, const flowing& how) {
    ring_seen one{name, {}, {}, {}, 0};
    one.status.capacity = 1000;
    one.status.producers = 1;
    one.status.messages = how.sent;
    one.status.bytes = how.sent;
    one.status.used_bytes = how.used;
    group_status group;
    group.name = "default";
    group.lag_messages = how.waiting;
    group.lag_bytes = how.used;
    one.status.groups.push_back(group);
    return one;
}

observation at(std::chrono::seconds when, const flowing& first, const flowing& second) {
    return {clock::time_point{when}, {seen("1", first), seen("2", second)}};
}

run_plan three_stages() {
    run_plan plan;
    plan.rings = {{"1"}, {"2"}};
    part source;
    source.label = "stage 1";
    source.text = "a";
    source.to = 0;
    part filter;
    filter.label = "stage 2";
    filter.text = "4x b";
    filter.from = 0;
    filter.to = 1;
    part sink;
    sink.label = "keep";
    sink.text = "c";
    sink.from = 1;
    plan.parts = {source, filter, sink};
    return plan;
}

}  // namespace

TEST_CASE("the line of a run names each stage with its copies and what it takes per second") {
    const auto before = at(10s, {100, 10, 500}, {80, 0, 0});
    const auto now = at(12s, {300, 50, 500}, {180, 2, 10});
    CHECK(view_line(three_stages(), {1, 4, 1}, before, now, 100) ==
          "1 100.0 msg/s  50% > 2 (4x) 80.0 msg/s  1% > keep 49.0 msg/s");
}

TEST_CASE("the line of a run marks the bottleneck and is not longer than the terminal is wide") {
    const auto before = at(10s, {100, 10, 900}, {80, 0, 0});
    const auto now = at(11s, {110, 10, 900}, {90, 0, 0});
    CHECK(view_line(three_stages(), {1, 1, 1}, before, now, 100) ==
          "1 10.0 msg/s  90% > 2 10.0 msg/s BOTTLENECK  0% > keep 10.0 msg/s");
    // Who waits for the next one is not to blame.
    CHECK(view_line(three_stages(), {1, 1, 1}, at(10s, {100, 10, 900}, {80, 9, 900}),
                    at(11s, {110, 10, 900}, {90, 9, 900}),
                    100) == "1 10.0 msg/s  90% > 2 10.0 msg/s  90% > keep 10.0 msg/s BOTTLENECK");
    CHECK(view_line(three_stages(), {1, 1, 1}, before, now, 20) == "1 10.0 msg/s  90% > ");
}

TEST_CASE("the process that joins the answers of copies is named only if all wait for it") {
    auto plan = three_stages();
    plan.parts[2].text.clear();
    plan.parts[2].label = "stage 2's answers";
    const auto before = at(10s, {100, 0, 0}, {80, 0, 0});
    CHECK(view_line(plan, {1, 4, 1}, before, at(11s, {110, 0, 0}, {90, 0, 0}), 100) ==
          "1 10.0 msg/s  0% > 2 (4x) 10.0 msg/s");
    CHECK(view_line(plan, {1, 4, 1}, before, at(11s, {110, 0, 0}, {90, 5, 950}), 100) ==
          "1 10.0 msg/s  0% > 2 (4x) 10.0 msg/s  95% > 2's answers 5.0 msg/s BOTTLENECK");
}
