// The writing end: sizes, wrap-around, back-pressure, batches. Loans: shm_loan.cpp.
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

std::vector<std::span<const std::byte>> spans_of(const texts& all) {
    std::vector<std::span<const std::byte>> out;
    for (const auto& text : all) { out.push_back(bytes(text)); }
    return out;
}

}  // namespace

TEST_CASE("producer: messages arrive as they were sent and in that order") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    send_all(out, {"one", "two", "three"});
    const auto got = take(in, 3);
    CHECK(got == std::vector<delivery>{{"one", 1, 0}, {"two", 1, 1}, {"three", 1, 2}});
}

TEST_CASE("producer: a message of no bytes is a message") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    send_all(out, {"", "x", ""});
    CHECK(take_texts(in, 3) == texts{"", "x", ""});
}

TEST_CASE("producer: every size goes whole through a ring that wraps all the time") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    for (std::size_t size = 0; size <= 700; ++size) {
        const auto sent = pattern(size, size);
        REQUIRE(out.try_send(bytes(sent)));
        const auto got = take_texts(in, 1);
        REQUIRE(got.size() == 1);
        REQUIRE(got.front() == sent);
    }
}

TEST_CASE("producer: the largest message fits at every place of the buffer") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto largest = pattern(sut.ring.max_message_size(), 1);
    for (int shift = 0; shift < 260; ++shift) {
        send_all(out, {"", largest.substr(0, 0)});  // moves on by two headers
        REQUIRE(take(in, 2).size() == 2);
        REQUIRE(out.send_for(bytes(largest), patience));
        const auto got = take_texts(in, 1);
        REQUIRE(got.size() == 1);
        REQUIRE(got.front() == largest);
    }
}

TEST_CASE(
    "producer: a message that can never fit is refused at once and the next one goes through") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto large = pattern(sut.ring.max_message_size() + 1);
    const stopwatch watch;
    CHECK(error_of([&] { out.send(bytes(large)); }) == errc::message_too_large);
    CHECK(error_of([&] { (void)out.try_send(bytes(large)); }) == errc::message_too_large);
    CHECK(error_of([&] { (void)out.lend(large.size()); }) == errc::message_too_large);
    CHECK(error_of([&] { (void)out.lend(~std::size_t{0}); }) == errc::message_too_large);
    CHECK(error_of([&] { out.send_batch(spans_of({"small", large})); }) == errc::message_too_large);
    CHECK(watch.elapsed() < soon);
    send_all(out, {"next"});
    CHECK(take_texts(in, 1) == texts{"next"});
}

TEST_CASE(
    "producer: a ring without any group keeps all from its beginning and says when it is full") {
    const a_ring sut;
    producer out{sut.ring};
    const auto sent = fill(out, pattern(100));
    CHECK(sent >= 4096 / 128 - 1);
    CHECK(sent <= 4096 / 128);
    consumer in{sut.ring};
    CHECK(take(in, sent).size() == sent);
    CHECK(out.try_send(bytes(pattern(100))));
}

TEST_CASE("producer: a full ring stays full until a message is acknowledged") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    fill(out, pattern(1000));
    const auto first = in.receive_for(patience);
    REQUIRE(first);
    CHECK_FALSE(out.try_send(bytes(pattern(1000))));
    in.acknowledge(first);
    CHECK(out.try_send(bytes(pattern(1000))));
    CHECK_FALSE(out.try_send(bytes(pattern(1000))));
}

TEST_CASE("producer: all of a ring's room comes back when all is acknowledged") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    for (int round = 0; round < 50; ++round) {
        CAPTURE(round);
        const auto count = fill(out, pattern(500));
        REQUIRE(count >= 7);
        REQUIRE(take(in, count).size() == count);
        REQUIRE(in.try_receive().status() == receive_status::timed_out);
    }
}

TEST_CASE("producer: a send that finds no room until its deadline leaves no trace") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto sent = fill(out, pattern(1000));
    const auto before = sut.ring.status();
    const stopwatch watch;
    CHECK_FALSE(out.send_for(bytes(pattern(1000)), a_moment));
    CHECK(watch.elapsed() >= a_moment);
    CHECK(watch.elapsed() < soon);
    CHECK(sut.ring.status().messages == before.messages);
    CHECK(sut.ring.status().bytes == before.bytes);
    CHECK(take(in, sent).size() == sent);
    CHECK(in.try_receive().status() == receive_status::timed_out);
}

TEST_CASE("producer: a deadline that is over already still sends when there is room") {
    const a_ring sut;
    producer out{sut.ring};
    CHECK(out.send_until(bytes("a"), clock::now() - 1h));
    CHECK(out.send_for(bytes("b"), -1s));
    CHECK(out.send_for(bytes("c"), std::chrono::hours::max()));
    consumer in{sut.ring};
    CHECK(take_texts(in, 3) == texts{"a", "b", "c"});
}

TEST_CASE("batch: its messages stand one behind the other with numbers of their own") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    out.send_batch(spans_of({"a", "", "c"}));
    CHECK(take(in, 3) == std::vector<delivery>{{"a", 1, 0}, {"", 1, 1}, {"c", 1, 2}});
}

TEST_CASE("batch: of one or of none is what it says") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    out.send_batch({});
    CHECK(out.try_send_batch({}));
    CHECK(sut.ring.status().messages == 0);
    out.send_batch(spans_of({"alone"}));
    CHECK(take(in, 1) == std::vector<delivery>{{"alone", 1, 0}});
}

TEST_CASE("batch: one that does not fit now is not sent in part") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto big = pattern(1500);
    send_all(out, {big});
    CHECK_FALSE(out.try_send_batch(spans_of({big, big})));
    CHECK_FALSE(out.send_batch_for(spans_of({big, big}), a_moment));
    CHECK(sut.ring.status().messages == 1);
    REQUIRE(take(in, 1).size() == 1);
    CHECK(in.try_receive().status() == receive_status::timed_out);
    CHECK(out.try_send_batch(spans_of({big, big})));
    CHECK(take_texts(in, 2) == texts{big, big});
}

TEST_CASE("batch: one that can never fit is refused at once and not sent in part") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    CHECK(error_of([&] { out.send_batch(spans_of(texts(5, pattern(1000)))); }) ==
          errc::message_too_large);
    CHECK(error_of([&] { out.send_batch(spans_of(texts(1000, ""))); }) == errc::message_too_large);
    CHECK(in.try_receive().status() == receive_status::timed_out);
}

TEST_CASE("batch: many go whole through a ring that wraps all the time") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    for (std::uint64_t round = 0; round < 300; ++round) {
        CAPTURE(round);
        texts batch;
        for (std::uint64_t i = 0; i <= round % 9; ++i) {
            batch.push_back(pattern((round * 37 + i * 11) % 400, i));
        }
        REQUIRE(out.send_batch_for(spans_of(batch), patience));
        REQUIRE(take_texts(in, batch.size()) == batch);
    }
}

TEST_CASE("producer: each message names its producer") {
    const a_ring sut;
    producer a{sut.ring};
    producer b{sut.ring};
    consumer in{sut.ring};
    send_all(a, {"1"});
    send_all(b, {"2"});
    send_all(a, {"3"});
    std::vector<std::uint32_t> who;
    for (int i = 0; i < 3; ++i) { who.push_back(in.receive_for(patience).producer()); }
    CHECK(who[0] == who[2]);
    CHECK(who[0] != who[1]);
}

TEST_CASE("producer: one that was moved goes on and the moved-from one is closed") {
    const a_ring sut;
    producer first{sut.ring};
    send_all(first, {"before"});
    producer second{std::move(first)};
    send_all(second, {"after"});
    producer third{sut.ring};
    third = std::move(second);
    send_all(third, {"after both"});
    CHECK(sut.ring.status().producers == 1);
    consumer in{sut.ring};
    CHECK(take_texts(in, 3) == texts{"before", "after", "after both"});
}

TEST_CASE("producer: nothing can be sent after close and closing twice is harmless") {
    const a_ring sut;
    producer out{sut.ring};
    out.close();
    out.close();
    out.abandon();
    CHECK(error_of([&] { out.send(bytes("late")); }) == errc::closed);
    CHECK(error_of([&] { out.send_batch(spans_of({"late"})); }) == errc::closed);
    CHECK(error_of([&] { (void)out.lend(4); }) == errc::closed);
    CHECK_FALSE(sut.ring.status().truncated);
    CHECK(sut.ring.status().messages == 0);
}

TEST_CASE("producer: a blocking send with deadline works with each way of waiting") {
    const a_ring sut;
    for (const auto wait : {wait_strategy::adaptive, wait_strategy::spin, wait_strategy::block}) {
        producer_options options;
        options.wait = wait;
        producer out{sut.ring, options};
        fill(out, pattern(1000));
        CHECK_FALSE(out.send_for(bytes(pattern(1000)), 5ms));
    }
}
