// A consumer is killed, for real, in a known state. Others of its group get what it had, marked.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

// A child that receives `count` messages, does `then`, and is killed in that state.
void receive_and_die(
    const unique_name& name, int count,
    const std::function<void(consumer&)>& then = [](consumer&) {},
    const consumer_options& options = {}) {
    child killed{[&](const in_child& self) -> int {
        consumer in{ring::open(name), options};
        for (int i = 0; i < count; ++i) {
            if (!in.receive_for(patience)) { return 1; }
        }
        then(in);
        self.tell_and_stay();
    }};
    REQUIRE(killed.await());
    killed.kill();
}

layout::member_id my_id(const segment_view& view) {
    return view.member_in(view.slot_of_pid(::getpid()));
}

std::vector<std::uint32_t> attempts_of(const std::vector<delivery>& all) {
    std::vector<std::uint32_t> out;
    for (const auto& each : all) { out.push_back(each.attempt); }
    return out;
}

texts sorted_texts(const std::vector<delivery>& all) {
    auto out = texts_of(all);
    std::ranges::sort(out);
    return out;
}

}  // namespace

TEST_CASE("dead consumer: another gets all that it had received and knows it") {
    const a_ring sut;
    producer out{sut.ring};
    consumer survivor{sut.ring};
    send_all(out, {"1", "2", "3"});
    receive_and_die(sut.name, 3);
    const stopwatch watch;
    const auto got = take(survivor, 3);
    CHECK(watch.elapsed() < soon);
    CHECK(texts_of(got) == texts{"1", "2", "3"});
    CHECK(attempts_of(got) == std::vector<std::uint32_t>{2, 2, 2});
    CHECK(survivor.try_receive().status() == receive_status::timed_out);
    CHECK(sut.ring.status().groups.at(0).redelivered > 0);
}

TEST_CASE("dead consumer: what it had acknowledged is not delivered again") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"1", "2", "3", "4"});
    receive_and_die(sut.name, 2, [](consumer& in) {
        in.acknowledge();
        if (!in.receive_for(patience)) { ::_exit(1); }
    });
    consumer survivor{sut.ring};
    const auto got = take(survivor, 2);
    CHECK(sorted_texts(got) == texts{"3", "4"});
    CHECK(survivor.receive_for(a_moment).status() == receive_status::timed_out);
    for (const auto& each : got) {
        if (each.text == "3") { CHECK(each.attempt == 2); }
    }
}

TEST_CASE("dead consumer: what nobody had leased is a first delivery") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"1"});
    receive_and_die(sut.name, 1);
    send_all(out, {"2"});
    consumer survivor{sut.ring};
    const auto got = take(survivor, 2);
    REQUIRE(sorted_texts(got) == texts{"1", "2"});
    for (const auto& each : got) { CHECK(each.attempt == (each.text == "1" ? 2 : 1)); }
}

TEST_CASE("dead consumer: the attempts of one message add up over several deaths") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"poison", "behind"});
    receive_and_die(sut.name, 2);
    receive_and_die(sut.name, 1);
    receive_and_die(sut.name, 1);
    consumer survivor{sut.ring};
    const auto got = take(survivor, 2);
    REQUIRE(texts_of(got) == texts{"poison", "behind"});
    CHECK(got[0].attempt == 4);
    // It was never begun by the later two: redelivered, but not blamed.
    CHECK(got[1].attempt > 1);
    CHECK(got[1].attempt <= 4);
}

TEST_CASE("dead consumer: the attempt count is of the message and not of the lease") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"1", "2"});
    receive_and_die(sut.name, 2);
    receive_and_die(sut.name, 1, [](consumer& in) {
        in.acknowledge();
        if (!in.receive_for(patience)) { ::_exit(1); }
    });
    consumer survivor{sut.ring};
    CHECK(take(survivor, 1) == std::vector<delivery>{{"2", 2, 1}});
}

TEST_CASE("dead consumer: a survivor that is always busy finds its lease too") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"orphan"});
    receive_and_die(sut.name, 1);
    consumer survivor{sut.ring};
    bool found = false;
    const auto until = after(patience);
    while (!found && clock::now() < until) {
        (void)out.try_send(bytes("busy"));
        const auto message = survivor.receive_for(patience);
        REQUIRE(message);
        found = message.text() == "orphan";
        survivor.acknowledge(message);
    }
    CHECK(found);
}

TEST_CASE("dead consumer: a producer waits for its lease only until another has done the work") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"orphan"});
    receive_and_die(sut.name, 1);
    const auto sent = fill(out, pattern(500));
    CHECK_FALSE(out.try_send(bytes(pattern(500))));
    consumer survivor{sut.ring};
    CHECK(take(survivor, sent + 1).size() == sent + 1);
    CHECK(out.send_for(bytes(pattern(500)), patience));
}

TEST_CASE("dead consumer: the group lock it held is taken over in bounded time") {
    const a_ring sut;
    producer out{sut.ring};
    consumer survivor{sut.ring};
    send_all(out, {"1", "2"});
    receive_and_die(sut.name, 1, [&](consumer&) {
        const segment_view view{sut.name.path()};
        view.group(0).lock = my_id(view);
    });
    const stopwatch watch;
    SUBCASE("by a consumer") {}
    SUBCASE("by a blocked producer") {
        fill(out, pattern(500));
        CHECK_FALSE(out.send_for(bytes(pattern(500)), a_moment));
    }
    SUBCASE("by one that leaves") { const consumer passing{sut.ring}; }
    CHECK(sorted_texts(take(survivor, 2)) == texts{"1", "2"});
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("dead consumer: the stream does not end before its lease was done by another") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"1"});
    receive_and_die(sut.name, 1);
    out.close();
    consumer survivor{sut.ring};
    CHECK(take(survivor, 1) == std::vector<delivery>{{"1", 2, 0}});
    CHECK(status_after_last(survivor) == receive_status::end);
}

TEST_CASE("dead consumer: one that was waiting for the end adopts and then sees the end") {
    const a_ring sut;
    producer out{sut.ring};
    const segment_view view{sut.name.path()};
    child holds{[&](const in_child& self) -> int {
        consumer in{ring::open(sut.name)};
        if (!in.receive_for(patience)) { return 1; }
        self.tell_and_stay();
    }};
    send_all(out, {"1"});
    REQUIRE(holds.await());
    child waits{[&](const in_child& self) {
        consumer in{ring::open(sut.name)};
        self.tell();
        const auto message = in.receive_for(patience);
        if (message.text() != "1" || message.attempt() != 2) { return 2; }
        in.acknowledge(message);
        return in.receive_for(patience).status() == receive_status::end ? 0 : 3;
    }};
    REQUIRE(waits.await());
    out.close();
    REQUIRE(eventually([&] { return (view.group(0).waiting & 1U) != 0; }));
    holds.kill();
    CHECK(waits.wait() == 0);
}

TEST_CASE(
    "dead consumer: an ephemeral group whose last member died can be removed and holds nobody for "
    "good") {
    const a_ring sut;
    consumer reads{sut.ring};
    producer out{sut.ring};
    send_all(out, {"1"});
    consumer_options options;
    options.group = "passing";
    options.kind = group_kind::ephemeral;
    receive_and_die(
        sut.name, 1, [](consumer&) {}, options);
    REQUIRE(take(reads, 1).size() == 1);
    if (sut.ring.status().groups.size() == 2) { sut.ring.remove_group("passing"); }
    for (int i = 0; i < 20; ++i) {
        REQUIRE(out.send_for(bytes(pattern(500)), patience));
        REQUIRE(take(reads, 1).size() == 1);
    }
}

TEST_CASE("dead consumer: a stopped one is alive and keeps its lease") {
    const a_ring sut;
    producer out{sut.ring};
    consumer other{sut.ring};
    child stopped{[&](const in_child& self) -> int {
        consumer in{ring::open(sut.name)};
        const auto message = in.receive_for(patience);
        self.tell();
        self.wait_for_go();
        in.acknowledge(message);
        return message.text() == "1" ? 0 : 1;
    }};
    send_all(out, {"1"});
    REQUIRE(stopped.await());
    REQUIRE(::kill(stopped.pid(), SIGSTOP) == 0);
    out.close();
    CHECK(other.receive_for(100ms).status() == receive_status::timed_out);
    REQUIRE(::kill(stopped.pid(), SIGCONT) == 0);
    stopped.go();
    CHECK(stopped.wait() == 0);
    CHECK(status_after_last(other) == receive_status::end);
}

TEST_CASE("dead member: a table full of them heals and loses nothing") {
    auto options = small();
    options.members = 4;
    const a_ring sut{options};
    sut.ring.add_group("default");
    {
        producer out{sut.ring};
        send_all(out, {"1", "2", "3", "4"});
    }
    consumer_options one_each;
    one_each.prefetch = 1;
    {
        std::vector<std::unique_ptr<child>> all;
        for (int i = 0; i < 4; ++i) {
            all.push_back(std::make_unique<child>([&](const in_child& self) -> int {
                consumer in{ring::open(sut.name), one_each};
                if (!in.receive_for(patience)) { return 1; }
                self.tell_and_stay();
            }));
            REQUIRE(all.back()->await());
        }
        CHECK(error_of([&] { consumer{sut.ring}; }) == errc::members_full);
    }
    consumer survivor{sut.ring};
    const auto got = take(survivor, 4);
    CHECK(sorted_texts(got) == texts{"1", "2", "3", "4"});
    CHECK(attempts_of(got) == std::vector<std::uint32_t>{2, 2, 2, 2});
    CHECK(status_after_last(survivor) == receive_status::end);
    std::vector<producer> others;
    for (int i = 0; i < 3; ++i) { others.emplace_back(sut.ring); }
    CHECK(sut.ring.status().members.size() == 4);
}

TEST_CASE("dead member: a table full of dead producers heals and the stream is known to be cut") {
    auto options = small();
    options.members = 4;
    const a_ring sut{options};
    {
        std::vector<std::unique_ptr<child>> all;
        for (int i = 0; i < 4; ++i) {
            all.push_back(std::make_unique<child>([&, i](const in_child& self) -> int {
                producer out{ring::open(sut.name)};
                out.send(bytes(std::to_string(i)));
                new loan{out.lend(8)};
                self.tell_and_stay();
            }));
            REQUIRE(all.back()->await());
        }
    }
    {
        std::vector<producer> all;
        for (int i = 0; i < 4; ++i) { all.emplace_back(sut.ring); }
        send_all(all.back(), {"4"});
    }
    consumer in{sut.ring};
    CHECK(take_texts(in, 5) == texts{"0", "1", "2", "3", "4"});
    CHECK(status_after_last(in) == receive_status::truncated);
}
