// What `bridge out` knows of the messages that are on their way, from what the stream answers.
#ifdef RINGPIPE_HAS_BRIDGE

#include "bridge/window.hpp"

#include <doctest/doctest.h>

using namespace ringpipe;
using namespace std::chrono_literals;
using bridge::window;

namespace {

// With `count` messages, all of them published.
window published(std::size_t count, bool shared = false, clock::duration settle = 0s) {
    window sut;
    sut.configure(settle, shared, false);
    for (std::size_t i = 0; i < count; ++i) {
        sut.add({}, 1);
        sut.advance();
    }
    return sut;
}

bridge::publisher::answer stored(std::uint64_t tag, bool duplicate = false) {
    return {.of = {.tag = tag}, .stored = true, .duplicate = duplicate};
}

}  // namespace

TEST_CASE("bridge window: an answer speaks for all that was published before") {
    auto sut = published(5);
    CHECK(sut.note_stored(stored(2)));
    CHECK(sut.unstored() == 2);
    CHECK(sut.take_settled().messages == 3);
    CHECK(sut.size() == 2);
    CHECK(sut.note_stored(stored(4)));
    CHECK(sut.take_settled().messages == 2);
}

TEST_CASE("bridge window: that a message was stored earlier says nothing of those before it") {
    auto sut = published(3);
    CHECK_FALSE(sut.note_stored(stored(2, true)));
    CHECK(sut.unstored() == 3);
    CHECK(sut.take_settled().messages == 0);
    CHECK(sut.note_stored(stored(0, true)));
    CHECK(sut.take_settled().messages == 1);
}

TEST_CASE("bridge window: beside other publishers each message speaks for itself") {
    auto sut = published(3, true);
    CHECK(sut.next_tag() == 3);
    CHECK(sut.note_stored(stored(0)));
    (void)sut.note_stored(stored(2));
    CHECK(sut.take_settled().messages == 1);
    (void)sut.note_stored(stored(1));
    CHECK(sut.take_settled().messages == 2);
}

TEST_CASE("bridge window: what may be lost with a server is kept until it has settled") {
    auto sut = published(2, false, 1h);
    CHECK(sut.note_stored(stored(1)));
    CHECK(sut.unstored() == 0);
    CHECK(sut.take_settled().messages == 0);
    CHECK(sut.size() == 2);
    SUBCASE("and is published again after a failure, each asked for") {
        CHECK(sut.start_over() == 2);
        CHECK(sut.unpublished() == 2);
        CHECK(sut.unstored() == 2);
        CHECK(sut.next_needs_answer());
    }
}

TEST_CASE("bridge window: what a cluster has stored counts once its leader of later has it") {
    window sut;
    sut.configure(1ns, true, true);
    for (std::uint64_t i = 0; i < 2; ++i) {
        sut.add({}, 1);
        sut.advance();
        auto answer = stored(i);
        answer.number = 11 + i;
        CHECK(sut.note_stored(answer));
    }
    while (!sut.awaits_confirmation()) {}  // 1 ns
    CHECK(sut.take_settled().messages == 0);
    SUBCASE("it has") {
        CHECK(sut.confirm(clock::now(), 12));
        CHECK(sut.take_settled().messages == 2);
    }
    SUBCASE("it has not") {
        CHECK_FALSE(sut.confirm(clock::now(), 11));
        CHECK(sut.take_settled().messages == 0);
        CHECK(sut.start_over() == 2);
    }
}

TEST_CASE("bridge window: an answer that comes too late changes nothing") {
    auto sut = published(2);
    CHECK(sut.note_stored(stored(0)));
    CHECK(sut.take_settled().messages == 1);
    CHECK(sut.note_stored(stored(0, true)));
    CHECK(sut.unstored() == 1);
}

TEST_CASE("bridge window: the ends of all partitions are through together") {
    auto sut = published(1);
    for (std::uint32_t i = 0; i < 2; ++i) {
        sut.add_end(false, i);
        CHECK(sut.next_needs_answer());
        sut.next().asks_for_each = true;
        sut.advance();
    }
    CHECK(sut.note_stored(stored(1)));
    CHECK_FALSE(sut.take_settled().was_all);
    CHECK(sut.note_stored(stored(2)));
    CHECK(sut.take_settled().was_all);
}

#endif
