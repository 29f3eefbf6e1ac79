// What `ringpipe top` shows, from two looks at a ring.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "pipeline/view/screen.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::pipeline;
using namespace std::chrono_literals;

member_status member(std::uint32_t slot, member_role role, std::uint64_t messages) {
    member_status one;
    one.slot = slot;
    one.role = role;
    one.alive = true;
    one.pid = 100 + slot;
    one.messages = messages;
    if (role == member_role::consumer) { one.group = "work"; }
    return one;
}

// A ring of 1 MiB at `sent` messages of 100 bytes, of which the group has leased `leased` and
// acknowledged `acknowledged`.
ring_seen a_look(std::uint64_t sent, std::uint64_t leased, std::uint64_t acknowledged,
                 double cpu = 0) {
    ring_seen one;
    one.name = one.status.name = "jobs";
    one.status.capacity = 1 << 20;
    one.status.messages = sent;
    one.status.bytes = sent * 100;
    one.status.used_bytes = (sent - acknowledged) * 100;
    one.status.producers = 1;
    one.status.consumers = 1;
    one.status.groups = {
        {"work", group_kind::durable, 1, sent - leased, (sent - acknowledged) * 100, 0}};
    one.status.members = {member(0, member_role::producer, sent),
                          member(1, member_role::consumer, leased)};
    one.processes = {std::nullopt, process_seen{false, cpu, 7}};
    return one;
}

observation at(std::chrono::milliseconds time, ring_seen one) {
    return {clock::time_point{} + 1h + time, {std::move(one)}};
}

std::string text_of(const screen& from, std::size_t width = 80) {
    std::string all;
    for (const auto& line : from.lines(width)) {
        for (const auto& piece : line) { all += piece.text; }
        all += '\n';
    }
    return all;
}

std::size_t longest_line(const screen& from, std::size_t width) {
    std::size_t longest = 0;
    for (const auto& line : from.lines(width)) {
        std::size_t columns = 0;
        for (const auto& piece : line) {
            columns += static_cast<std::size_t>(
                std::count_if(piece.text.begin(), piece.text.end(),
                              [](char c) { return (static_cast<unsigned char>(c) >> 6U) != 2; }));
        }
        longest = std::max(longest, columns);
    }
    return longest;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("flow is what two looks differ by per second") {
    const auto before = at(0ms, a_look(1000, 800, 600, 1.0));
    const auto now = at(500ms, a_look(2000, 1300, 850, 1.25));
    const auto flow = flow_between(before, now, now.rings.front());
    CHECK(flow.messages == doctest::Approx(2000));
    CHECK(flow.bytes == doctest::Approx(200'000));
    REQUIRE(flow.groups.size() == 1);
    CHECK(flow.groups[0].messages == doctest::Approx(1000));
    CHECK(flow.groups[0].bytes == doctest::Approx(50'000));
    CHECK(flow.groups[0].seconds_behind.value_or(-1) == doctest::Approx(2.3));
    CHECK_FALSE(flow.groups[0].bottleneck);
    REQUIRE(flow.members.size() == 2);
    CHECK(flow.members[0].messages == doctest::Approx(2000));
    CHECK_FALSE(flow.members[0].cpu);
    CHECK(flow.members[1].messages == doctest::Approx(1000));
    CHECK(flow.members[1].cpu.value_or(-1) == doctest::Approx(0.5));
}

TEST_CASE("flow is zero for a ring that is new or was replaced by another") {
    const auto now = at(500ms, a_look(2000, 1300, 850));
    CHECK(flow_between({}, now, now.rings.front()).messages == 0);
    const auto larger = at(0ms, a_look(9000, 9000, 9000));
    CHECK(flow_between(larger, now, now.rings.front()).messages == 0);
}

TEST_CASE("the group that keeps a ring full is its bottleneck") {
    auto full = a_look(10'000, 1000, 500);
    full.status.groups.push_back({"quick", group_kind::durable, 1, 0, 0, 0});
    const auto before = at(0ms, full);
    auto now = at(1s, full);
    const auto flow = flow_between(before, now, now.rings.front());
    CHECK(flow.groups[0].bottleneck);
    CHECK_FALSE(flow.groups[0].seconds_behind);  // it stands still
    CHECK_FALSE(flow.groups[1].bottleneck);
    // Nobody waits for it when nobody sends.
    now.rings.front().status.producers = 0;
    CHECK_FALSE(flow_between(before, now, now.rings.front()).groups[0].bottleneck);
}

TEST_CASE("the screen shows ring and group and members within its width") {
    screen view{false};
    view.show(at(0ms, a_look(1000, 800, 600)));
    view.show(at(1s, a_look(2000, 1300, 850)));
    const auto text = text_of(view);
    CAPTURE(text);
    CHECK(has(text, "jobs"));
    CHECK(has(text, "#.........  11 %      of 1 MiB"));
    CHECK(has(text, "1.0 k msg/s open"));
    CHECK(has(text, "2,000 sent"));
    CHECK(has(text, "  work                       700 112.3 KiB    4.6 s   500.0 msg/s"));
    CHECK(has(text, "    producer                 100 running"));
    for (const std::size_t width : {1U, 20U, 79U, 80U, 200U}) {
        CHECK(longest_line(view, width) <= width);
    }
    view.members = false;
    CHECK_FALSE(has(text_of(view), "producer"));
}

TEST_CASE("the screen marks what needs a look") {
    auto one = a_look(10'000, 1000, 500);
    one.dead_letters = 3;
    one.status.members[0].waits_for = member_wish::room;
    one.status.members[1].alive = false;
    one.status.groups[0].redelivered = 2;
    screen view{true};
    view.show(at(0ms, one));
    const auto text = text_of(view, 120);
    CAPTURE(text);
    CHECK(has(text, "BOTTLENECK"));
    CHECK(has(text, "3 dead letters"));
    CHECK(has(text, "waits for room"));
    CHECK(has(text, "dead  "));
    CHECK(has(text, "2 redelivered"));
    one.problem = "cannot open ring jobs: it is of version 7";
    view.show(at(1s, one));
    CHECK(text_of(view) == "cannot open ring jobs: it is of version 7\n");
    view.show({});
    CHECK(has(text_of(view), "no rings"));
}

TEST_CASE("the screen sorts rings by name or by rate or by what waits") {
    const auto ring = [](const char* name, std::uint64_t sent, std::uint64_t done) {
        auto one = a_look(sent, done, done);
        one.name = name;
        return one;
    };
    screen view{false};
    view.members = false;
    const observation before{clock::time_point{} + 1h,
                             {ring("a", 10, 10), ring("b", 10, 10), ring("c", 10, 10)}};
    const observation now{clock::time_point{} + 1h + 1s,
                          {ring("a", 20, 20), ring("b", 2000, 2000), ring("c", 900, 10)}};
    view.show(before);
    view.show(now);
    const auto order = [&] {
        const auto text = text_of(view);
        std::string names;
        for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
            if (text[at] != ' ') { names += text[at]; }
        }
        return names;
    };
    CHECK(order() == "abc");
    view.order = sort_by::rate;
    CHECK(order() == "bca");
    view.order = sort_by::lag;
    CHECK(order() == "cab");
}

TEST_CASE("the screen shows the locks of a space with who holds them") {
    space_seen shop;
    shop.name = shop.status.name = "shop";
    shop.status.size = 1 << 20;
    shop.status.used = 1024;
    shop.status.members = {{0, 4711}, {1, 4712}};
    shop.processes = {std::nullopt, std::nullopt};
    sync::primitive_status till;
    till.name = "till";
    till.kind = "mutex";
    till.participants = {{4711, true, sync::part::holds, 1}};
    sync::primitive_status seats;
    seats.name = "seats";
    seats.kind = "semaphore";
    seats.size = 3;
    seats.value = 1;
    seats.participants = {{4712, false, sync::part::holds, 2}};
    shop.status.primitives = {till, seats};
    screen view{false};
    view.show({clock::time_point{} + 1h, {}, {shop}, {}});
    const auto text = text_of(view, 120);
    CAPTURE(text);
    CHECK(has(text, "shop                 space, 2 processes, 2 names, 1 KiB of 1 MiB"));
    CHECK(has(text, "  till               mutex              held                   4711\n"));
    CHECK(has(text, "1 of 3 free            4712 x2 (dead)\n"));
    CHECK(longest_line(view, 40) <= 40);
    view.members = false;
    CHECK_FALSE(has(text_of(view), "till"));
}

TEST_CASE("the screen shows a pool with its tasks and its workers") {
    pool_seen one;
    one.name = one.outline.name = "work";
    one.outline.alive = true;
    one.outline.owner_pid = 99;
    one.outline.max_workers = 4;
    auto& status = one.outline.status;
    status.waiting = 7;
    status.running = 1;
    status.done = 100;
    status.workers = {{4711, true, 2s, 60, 0}, {4712, false, {}, 40, 2}};
    one.processes = {std::nullopt, process_seen{true, 0, 1}};
    screen view{false};
    view.show({clock::time_point{} + 1h, {}, {}, {one}});
    status.done = 150;
    status.worker_deaths = 1;
    view.show({clock::time_point{} + 1h + 2s, {}, {}, {one}});
    const auto text = text_of(view, 120);
    CAPTURE(text);
    CHECK(has(text, "work                 pool, 7 waiting, 1 running, 25.0 task/s open\n"));
    CHECK(has(text, "150 done, 0 failed, 2 of 4 workers, 1 died\n"));
    CHECK(has(text, "at work for 2 s"));
    CHECK(has(text, "stopped"));
    CHECK(longest_line(view, 40) <= 40);
    one.outline.alive = false;
    view.show({clock::time_point{} + 1h + 3s, {}, {}, {one}});
    CHECK(has(text_of(view), "abandoned"));
}
