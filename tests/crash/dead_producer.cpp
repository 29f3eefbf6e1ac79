// A producer is killed, for real, in a known state. The survivors go on, lose nothing whose send
// returned, and know that the stream was cut.
#include <unistd.h>

#include <functional>

#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

// A child that sends "sent", does `then` with its producer, and is killed in that state.
void send_and_die(const unique_name& name,
                  const std::function<void(producer&, const ring&)>& then) {
    child killed{[&](const in_child& self) -> int {
        const auto ring = ring::open(name);
        producer out{ring};
        out.send(bytes("sent"));
        then(out, ring);
        self.tell_and_stay();
    }};
    REQUIRE(killed.await());
    killed.kill();
}

layout::member_id my_id(const segment_view& view) {
    return view.member_in(view.slot_of_pid(::getpid()));
}

}  // namespace

TEST_CASE("dead producer: what it sent arrives and then every group is told that it was cut off") {
    const a_ring sut;
    sut.ring.add_group("a");
    sut.ring.add_group("b");
    send_and_die(sut.name, [](producer&, const ring&) {});
    for (const auto* group : {"a", "b"}) {
        consumer_options options;
        options.group = group;
        consumer in{sut.ring, options};
        CHECK(take_texts(in, 1) == texts{"sent"});
        const stopwatch watch;
        CHECK(status_after_last(in) == receive_status::truncated);
        CHECK(watch.elapsed() < soon);
    }
}

TEST_CASE("dead producer: a consumer that was asleep learns of it soon") {
    const a_ring sut;
    const segment_view view{sut.name.path()};
    child sleeper{[&](const in_child& self) {
        consumer in{ring::open(sut.name)};
        if (in.receive_for(patience).text() != "sent") { return 1; }
        in.acknowledge();
        self.tell();
        return in.receive_for(patience).status() == receive_status::truncated ? 0 : 2;
    }};
    child killed{[&](const in_child& self) -> int {
        producer out{ring::open(sut.name)};
        out.send(bytes("sent"));
        self.tell_and_stay();
    }};
    REQUIRE(killed.await());
    REQUIRE(sleeper.await());
    REQUIRE(eventually([&] { return (view.group(0).waiting & 1U) != 0; }));
    const stopwatch watch;
    killed.kill();
    CHECK(sleeper.wait() == 0);
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("dead producer: a zombie is as dead as one that was reaped") {
    const a_ring sut;
    child killed{[&](const in_child& self) -> int {
        const producer out{ring::open(sut.name)};
        self.tell_and_stay();
    }};
    REQUIRE(killed.await());
    killed.kill_without_reaping();
    consumer in{sut.ring};
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("dead producer: one of two leaves the other to go on and the mark to stay") {
    const a_ring sut;
    producer lives{sut.ring};
    send_and_die(sut.name, [](producer&, const ring&) {});
    send_all(lives, {"goes on"});
    lives.close();
    consumer in{sut.ring};
    CHECK(take_texts(in, 2) == texts{"sent", "goes on"});
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("dead producer: a clean end of the process without close is a death") {
    const a_ring sut;
    child ended{[&](const in_child&) {
        const producer out{ring::open(sut.name)};
        ::_exit(0);
        return 0;
    }};
    REQUIRE(ended.wait() == 0);
    consumer in{sut.ring};
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("dead producer: its open loan is skipped and what others sent behind it arrives") {
    const a_ring sut;
    producer other{sut.ring};
    send_and_die(sut.name, [](producer& out, const ring&) { new loan{out.lend(100)}; });
    send_all(other, {"behind"});
    consumer in{sut.ring};
    const auto got = take(in, 2);
    CHECK(got == std::vector<delivery>{{"sent", 1, 0}, {"behind", 1, 2}});
    other.close();
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("dead producer: several open loans and what it sent between them") {
    const a_ring sut;
    send_and_die(sut.name, [](producer& out, const ring&) {
        new loan{out.lend(10)};
        out.send(bytes("between"));
        new loan{out.lend(0)};
        new loan{out.lend(500)};
        out.send(bytes("last"));
    });
    consumer in{sut.ring};
    CHECK(take_texts(in, 3) == texts{"sent", "between", "last"});
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("dead producer: its open loan does not keep a full ring full") {
    const a_ring sut;
    send_and_die(sut.name, [](producer& out, const ring&) { new loan{out.lend(3000)}; });
    producer out{sut.ring};
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == texts{"sent"});
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
    CHECK(out.send_for(bytes(pattern(3000)), patience));
    CHECK(take_texts(in, 1) == texts{pattern(3000)});
}

TEST_CASE("dead producer: an open loan is settled also when its slot is someone else's by then") {
    auto options = small();
    options.members = 2;
    const a_ring sut{options};
    send_and_die(sut.name, [](producer& out, const ring&) { new loan{out.lend(100)}; });
    producer takes_its_slot{sut.ring};
    send_all(takes_its_slot, {"behind"});
    consumer in{sut.ring};
    CHECK(take_texts(in, 2) == texts{"sent", "behind"});
    takes_its_slot.close();
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("dead producer: the tail lock it held is taken over by the next sender in bounded time") {
    const a_ring sut;
    producer out{sut.ring};
    send_and_die(sut.name, [&](producer&, const ring&) {
        const segment_view view{sut.name.path()};
        view.append().lock = my_id(view);
    });
    const stopwatch watch;
    CHECK(out.send_for(bytes("next"), patience));
    CHECK(watch.elapsed() < soon);
    consumer in{sut.ring};
    CHECK(take_texts(in, 2) == texts{"sent", "next"});
}

TEST_CASE("dead producer: with the tail lock held others still attach and make groups and leave") {
    const a_ring sut;
    send_and_die(sut.name, [&](producer&, const ring&) {
        const segment_view view{sut.name.path()};
        view.append().lock = my_id(view);
    });
    const stopwatch watch;
    SUBCASE("a group") { sut.ring.add_group("g"); }
    SUBCASE("a consumer") { const consumer in{sut.ring}; }
    SUBCASE("a producer") { const producer out{sut.ring}; }
    CHECK(watch.elapsed() < soon);
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == texts{"sent"});
}

TEST_CASE("dead producer: one that waited first in line for room lets the others pass") {
    const a_ring sut;
    producer other{sut.ring};
    consumer in{sut.ring};
    const auto sent = fill(other, pattern(500));
    const segment_view view{sut.name.path()};
    child waits{[&](const in_child& self) {
        producer out{ring::open(sut.name)};
        self.tell();
        return out.send_for(bytes(pattern(3000)), patience) ? 0 : 1;
    }};
    REQUIRE(waits.await());
    REQUIRE(eventually([&] { return view.append().first_in_line != 0; }));
    waits.kill();
    REQUIRE(take(in, 2).size() == 2);
    const stopwatch watch;
    CHECK(other.send_for(bytes("passes"), patience));
    CHECK(watch.elapsed() < soon);
    CHECK(take(in, sent - 1).back().text == "passes");
}

TEST_CASE("dead producer: its resurrection takes the mark back only if it says so") {
    const a_ring sut;
    send_and_die(sut.name, [](producer&, const ring&) {});
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == texts{"sent"});
    REQUIRE(status_after_last(in) == receive_status::truncated);
    {
        producer again{sut.ring};
        again.send(bytes("the rest"));
        sut.ring.clear_truncated();
    }
    CHECK(take_texts(in, 1) == texts{"the rest"});
    CHECK(status_after_last(in) == receive_status::end);
}
