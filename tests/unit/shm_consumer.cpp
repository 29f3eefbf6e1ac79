// The reading end: receive, lease, acknowledge.
#include <algorithm>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

consumer_options with_prefetch(std::uint32_t prefetch) {
    consumer_options options;
    options.prefetch = prefetch;
    return options;
}

}  // namespace

TEST_CASE("consumer: an empty ring has nothing to give and says so at once") {
    const a_ring sut;
    consumer in{sut.ring};
    const stopwatch watch;
    const auto nothing = in.try_receive();
    CHECK_FALSE(nothing);
    CHECK(nothing.status() == receive_status::timed_out);
    CHECK(nothing.payload().empty());
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("consumer: a receive with a deadline gives up at it and not before") {
    const a_ring sut;
    const producer out{sut.ring};
    for (const auto wait : {wait_strategy::adaptive, wait_strategy::spin, wait_strategy::block}) {
        consumer_options options;
        options.wait = wait;
        consumer in{sut.ring, options};
        const stopwatch watch;
        CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
        CHECK(watch.elapsed() >= a_moment);
        CHECK(watch.elapsed() < soon);
    }
}

TEST_CASE("consumer: messages can be read in place until they are acknowledged") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    send_all(out, {"first", "second"});
    const auto first = in.receive_for(patience);
    const auto second = in.receive_for(patience);
    fill(out, pattern(300, 7));
    CHECK(first.text() == "first");
    CHECK(second.text() == "second");
    in.acknowledge(first);
    fill(out, pattern(300, 8));
    CHECK(second.text() == "second");
}

TEST_CASE("consumer: a payload is one piece also where the ring wraps") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto text = pattern(1500);
    for (int i = 0; i < 20; ++i) {
        REQUIRE(out.send_for(bytes(text), patience));
        const auto message = in.receive_for(patience);
        REQUIRE(message.payload().size() == text.size());
        REQUIRE(message.text() == text);
        in.acknowledge();
    }
}

TEST_CASE("consumer: acknowledging one message acknowledges those before it and none behind it") {
    const a_ring sut;
    producer out{sut.ring};
    {
        consumer in{sut.ring};
        send_all(out, {"1", "2", "3", "4"});
        std::vector<message> got;
        for (int i = 0; i < 4; ++i) { got.push_back(in.receive_for(patience)); }
        in.acknowledge(got[1]);
        in.acknowledge(got[0]);  // an older one: no step back
    }
    consumer next{sut.ring};
    CHECK(take_texts(next, 2) == texts{"3", "4"});
    CHECK(next.try_receive().status() == receive_status::timed_out);
}

TEST_CASE("consumer: acknowledging everything and twice is what it says") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    in.acknowledge();
    send_all(out, {"1", "2", "3"});
    for (int i = 0; i < 2; ++i) { REQUIRE(in.receive_for(patience)); }
    in.acknowledge();
    in.acknowledge();
    in.close();
    consumer next{sut.ring};
    CHECK(take_texts(next, 1) == texts{"3"});
}

TEST_CASE("consumer: what is acknowledged is never delivered again") {
    const a_ring sut;
    producer out{sut.ring};
    for (int i = 0; i < 5; ++i) {
        const auto text = std::to_string(i);
        send_all(out, {text});
        consumer in{sut.ring};
        CHECK(take_texts(in, 1) == texts{text});
        CHECK(in.try_receive().status() == receive_status::timed_out);
    }
}

TEST_CASE("consumer: prefetch bounds what one takes so that another finds the rest") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"1", "2", "3", "4"});
    consumer one{sut.ring, with_prefetch(1)};
    consumer other{sut.ring, with_prefetch(1)};
    const auto first = one.receive_for(patience);
    const auto second = other.receive_for(patience);
    CHECK(first.text() == "1");
    CHECK(second.text() == "2");
    CHECK_FALSE(one.at_hand());
    one.acknowledge(first);
    CHECK(take_texts(one, 2) == texts{"3", "4"});
}

TEST_CASE("consumer: those of one group share and each message goes to one of them") {
    const a_ring sut;
    producer out{sut.ring};
    consumer a{sut.ring, with_prefetch(2)};
    consumer b{sut.ring, with_prefetch(2)};
    send_all(out, {"1", "2", "3", "4"});
    auto got = take_texts(a, 1);
    for (auto& text : take_texts(b, 1)) { got.push_back(text); }
    for (int i = 0; i < 10; ++i) {
        for (auto* in : {&a, &b}) {
            if (const auto message = in->try_receive()) {
                got.emplace_back(message.text());
                in->acknowledge(message);
            }
        }
    }
    std::ranges::sort(got);
    CHECK(got == texts{"1", "2", "3", "4"});
}

TEST_CASE("consumer: receiving on and on without acknowledging is refused and loses nothing") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto sent = fill(out, pattern(100));
    std::vector<message> got;
    const auto refused = error_of([&] {
        while (auto message = in.receive_for(a_moment)) { got.push_back(message); }
    });
    CHECK(refused == errc::unacknowledged);
    REQUIRE_FALSE(got.empty());
    CHECK(got.size() < sent);
    CHECK(got.front().text() == pattern(100));
    CHECK(error_of([&] { (void)in.try_receive(); }) == errc::unacknowledged);
    in.acknowledge();
    const auto rest = take(in, sent - got.size());
    REQUIRE(rest.size() == sent - got.size());
    CHECK(rest.front().sequence == got.size());
}

TEST_CASE("consumer: receiving beyond the lease is refused where another has leased the rest") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring, with_prefetch(1)};
    consumer other{sut.ring, with_prefetch(1)};
    send_all(out, {"1", "2", "3"});
    const auto first = in.receive_for(patience);
    REQUIRE(first);
    REQUIRE(other.receive_for(patience).text() == "2");
    CHECK(error_of([&] { (void)in.receive_for(a_moment); }) == errc::unacknowledged);
    CHECK(first.text() == "1");
    in.acknowledge(first);
    CHECK(take_texts(in, 1) == texts{"3"});
}

TEST_CASE("consumer: at_hand promises a message that needs no look at the ring") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    CHECK_FALSE(in.at_hand());
    int promised = 0;
    std::uint64_t received = 0;
    const auto sent = fill(out, "");
    while (received < sent) {
        const bool at_hand = in.at_hand();
        const auto message = in.try_receive();
        REQUIRE(message);
        CHECK(message.sequence() == received++);
        if (at_hand) { ++promised; }
        if (!in.at_hand()) { in.acknowledge(); }
    }
    CHECK(promised > 0);
    CHECK_FALSE(in.at_hand());
}

TEST_CASE("consumer: an acknowledged lease gives its room back while the consumer is idle") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto largest = pattern(sut.ring.max_message_size());
    for (int i = 0; i < 3; ++i) {
        REQUIRE(out.send_for(bytes(largest), patience));
        REQUIRE(take(in, 1).size() == 1);
    }
}

TEST_CASE("receive_batch: takes what is at hand and not more than was asked for") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const auto sent = fill(out, "");
    std::vector<message> got(7);
    std::size_t largest = 0;
    for (std::uint64_t received = 0; received < sent;) {
        REQUIRE(in.receive_batch(got, 3, after(patience)) == receive_status::message);
        largest = std::max(largest, got.size());
        for (const auto& message : got) { CHECK(message.sequence() == received++); }
        in.acknowledge();
    }
    CHECK(largest == 3);
    CHECK(in.receive_batch(got, 100, clock::now()) == receive_status::timed_out);
    CHECK(got.empty());
    out.close();
    CHECK(in.receive_batch(got, 100, after(patience)) == receive_status::end);
    CHECK(got.empty());
}

TEST_CASE("consumer: leaving hands back what was not acknowledged and counts no attempt") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"acknowledged", "received", "at hand"});
    {
        consumer in{sut.ring};
        REQUIRE(take(in, 1).size() == 1);
        REQUIRE(in.receive_for(patience));
    }
    consumer next{sut.ring};
    const auto got = take(next, 2);
    auto all = texts_of(got);
    std::ranges::sort(all);  // what was received comes again, at any time
    CHECK(all == texts{"at hand", "received"});
    for (const auto& each : got) { CHECK(each.attempt == 1); }
}

TEST_CASE("consumer: what one that left hands back goes to one that was there before") {
    const a_ring sut;
    producer out{sut.ring};
    consumer stays{sut.ring, with_prefetch(2)};
    {
        consumer leaves{sut.ring, with_prefetch(2)};
        send_all(out, {"1", "2", "3", "4"});
        REQUIRE(leaves.receive_for(patience));
    }
    auto got = take_texts(stays, 4);
    std::ranges::sort(got);
    CHECK(got == texts{"1", "2", "3", "4"});
}

TEST_CASE("consumer: nothing can be received after close and closing twice is harmless") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    send_all(out, {"kept"});
    in.close();
    in.close();
    CHECK(error_of([&] { (void)in.try_receive(); }) == errc::closed);
    std::vector<message> none;
    CHECK(error_of([&] { (void)in.receive_batch(none, 1, clock::now()); }) == errc::closed);
    in.acknowledge();
    consumer next{sut.ring};
    CHECK(take_texts(next, 1) == texts{"kept"});
}

TEST_CASE("consumer: one that was moved goes on with its lease") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"1", "2", "3"});
    consumer first{sut.ring};
    REQUIRE(take(first, 1).size() == 1);
    consumer second{std::move(first)};
    CHECK(take_texts(second, 1) == texts{"2"});
    consumer third{sut.ring};
    third = std::move(second);
    CHECK(take_texts(third, 1) == texts{"3"});
    CHECK(sut.ring.status().consumers == 1);
}

TEST_CASE("consumer: options that cannot be are refused and leave no member behind") {
    const a_ring sut;
    consumer_options options;
    auto expected = errc::invalid_argument;
    SUBCASE("a prefetch of nothing") { options.prefetch = 0; }
    SUBCASE("no group name") {
        options.group = "";
        expected = errc::invalid_name;
    }
    SUBCASE("a group name that is too long") {
        options.group = std::string(300, 'g');
        expected = errc::invalid_name;
    }
    SUBCASE("a control character in the group's name") {
        options.group = "a\nb";
        expected = errc::invalid_name;
    }
    SUBCASE("a control character in its own name") {
        options.name = "a\nb";
        expected = errc::invalid_name;
    }
    CHECK(error_of([&] { consumer{sut.ring, options}; }) == expected);
    CHECK(sut.ring.status().members.empty());
    CHECK(sut.ring.status().groups.empty());
}
