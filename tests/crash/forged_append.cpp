// Every state in which a death can leave the appending side, forged: what was not committed never
// happened, what was has happened once.
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;
namespace word = ringpipe::layout::word;

using texts = std::vector<std::string>;

namespace {

// A ring with "before" in it, and a producer that died in slot 6 with the tail lock in its hands.
struct a_death_in_append : a_ring {
    producer out{ring};
    segment_view view{name.path()};
    layout::member_id dead = 0;
    layout::position tail = 0;

    a_death_in_append() {
        send_all(out, {"before"});
        dead = view.bury_member(6, layout::role::producer);
        view.append().lock = dead;
        tail = view.append().tail;
    }

    // All that a new group sees once somebody has sent "after".
    std::vector<delivery> deliveries(std::size_t count) {
        CHECK(out.send_for(bytes("after"), patience));
        consumer in{ring};
        auto got = take(in, count);
        CHECK(in.try_receive().status() == receive_status::timed_out);
        return got;
    }
};

}  // namespace

TEST_CASE("death in send: before its first store nothing has happened") {
    a_death_in_append sut;
    CHECK(sut.deliveries(2) == std::vector<delivery>{{"before", 1, 0}, {"after", 1, 1}});
}

TEST_CASE("death in send: before its commit the message never happened") {
    a_death_in_append sut;
    sut.view.forge_message(sut.tail, 1, "half written", sut.dead, word::nothing);
    CHECK(sut.deliveries(2) == std::vector<delivery>{{"before", 1, 0}, {"after", 1, 1}});
}

TEST_CASE("death in send: behind its commit the message has happened once") {
    a_death_in_append sut;
    const auto end = sut.view.forge_message(sut.tail, 1, "committed", sut.dead, word::committed);
    SUBCASE("before the sequence") {}
    SUBCASE("between sequence and tail") { sut.view.append().sequence = 2; }
    SUBCASE("before the unlock") {
        sut.view.append().sequence = 2;
        sut.view.append().tail = end;
    }
    CHECK(sut.deliveries(3) ==
          std::vector<delivery>{{"before", 1, 0}, {"committed", 1, 1}, {"after", 1, 2}});
}

TEST_CASE("death in send: a consumer may have the message before anybody has repaired the tail") {
    a_death_in_append sut;
    sut.view.forge_message(sut.tail, 1, "committed", sut.dead, word::committed);
    sut.view.append().lock = 0;  // so that the group can be made
    sut.ring.add_group("default");
    sut.view.append().lock = sut.dead;
    std::vector<delivery> got;
    {
        sut.view.append().lock = 0;
        consumer in{sut.ring};
        sut.view.append().lock = sut.dead;
        got = take(in, 2);
        CHECK(in.try_receive().status() == receive_status::timed_out);
        // Released beyond the tail: not corruption.
        CHECK(sut.out.send_for(bytes("after"), patience));
        got.push_back(take(in, 1).at(0));
    }
    CHECK(got == std::vector<delivery>{{"before", 1, 0}, {"committed", 1, 1}, {"after", 1, 2}});
}

TEST_CASE("death in batch: before the first is committed none of it has happened") {
    a_death_in_append sut;
    auto at = sut.view.forge_message(sut.tail, 1, "first", sut.dead, word::nothing);
    at = sut.view.forge_message(at, 2, "second", sut.dead, word::committed);
    at = sut.view.forge_message(at, 3, "third", sut.dead, word::committed);
    // "after" is as long as "first": what stands behind it must not come to life.
    CHECK(sut.deliveries(2) == std::vector<delivery>{{"before", 1, 0}, {"after", 1, 1}});
}

TEST_CASE("death in batch: behind its commit all of it has happened") {
    a_death_in_append sut;
    auto at = sut.view.forge_message(sut.tail, 1, "first", sut.dead, word::committed);
    at = sut.view.forge_message(at, 2, "second", sut.dead, word::committed);
    at = sut.view.forge_message(at, 3, "third", sut.dead, word::committed);
    SUBCASE("before the sequence") {}
    SUBCASE("between sequence and tail") { sut.view.append().sequence = 4; }
    CHECK(texts_of(sut.deliveries(5)) == texts{"before", "first", "second", "third", "after"});
}

TEST_CASE("death in lend: a busy message that the tail does not know is discarded") {
    a_death_in_append sut;
    sut.view.forge_message(sut.tail, 1, "being built", sut.dead, word::busy);
    CHECK(sut.deliveries(2) == std::vector<delivery>{{"before", 1, 0}, {"after", 1, 2}});
}

TEST_CASE("death in discard: a discarded message that the tail does not know keeps its number") {
    a_death_in_append sut;
    sut.view.forge_message(sut.tail, 1, "given up", sut.dead, word::discarded);
    CHECK(sut.deliveries(2) == std::vector<delivery>{{"before", 1, 0}, {"after", 1, 2}});
}

TEST_CASE("death in repair: the next one repairs again from what is there") {
    a_death_in_append sut;
    sut.view.forge_message(sut.tail, 1, "committed", sut.dead, word::committed);
    // The first repairer had set the sequence, and died.
    sut.view.append().sequence = 2;
    sut.view.append().lock = sut.view.bury_member(7, layout::role::producer);
    CHECK(texts_of(sut.deliveries(3)) == texts{"before", "committed", "after"});
}

TEST_CASE("death with sleepers: a lock that was waited for is taken over too") {
    a_death_in_append sut;
    sut.view.append().lock = sut.dead | (1U << 31U);
    CHECK(texts_of(sut.deliveries(2)) == texts{"before", "after"});
}

TEST_CASE("death first in line: a dead sender's turn passes") {
    a_death_in_append sut;
    sut.view.append().first_in_line = sut.dead;
    sut.view.append().room_end = 0;
    CHECK(texts_of(sut.deliveries(2)) == texts{"before", "after"});
}

TEST_CASE("death asleep: bits of sleepers that are gone cost nobody more than one call") {
    a_death_in_append sut;
    sut.view.append().lock = 0;
    sut.ring.add_group("default");
    sut.view.sleepers().groups = ~std::uint64_t{0};
    sut.view.group(0).waiting = 0xffffffffU;
    sut.view.room().waiting = 0xffffffffU;
    sut.view.room().wanted = ~std::uint64_t{0};
    CHECK(texts_of(sut.deliveries(2)) == texts{"before", "after"});
    CHECK(sut.view.sleepers().groups == 0);
}

TEST_CASE("death of a lender: the lock is free and its loan stands between messages") {
    a_death_in_append sut;
    auto at = sut.view.forge_message(sut.tail, 1, "being built", sut.dead, word::busy);
    at = sut.view.forge_message(at, 2, "behind", sut.dead, word::committed);
    sut.view.append().sequence = 3;
    sut.view.append().tail = at;
    sut.view.append().lock = 0;
    CHECK(sut.deliveries(3) ==
          std::vector<delivery>{{"before", 1, 0}, {"behind", 1, 2}, {"after", 1, 3}});
}

TEST_CASE("death at the wrap: a message over the end of the buffer is repaired as any other") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    const segment_view view{sut.name.path()};
    while (view.append().tail < 4096 - 64) {
        send_all(out, {pattern(16)});
        REQUIRE(take(in, 1).size() == 1);
    }
    REQUIRE(in.try_receive().status() == receive_status::timed_out);
    const layout::position tail = view.append().tail;
    const std::uint64_t sequence = view.append().sequence;
    const auto dead = view.bury_member(6, layout::role::producer);
    // Its payload ends in the second mapping: forge the two parts.
    const auto text = pattern(100, 3);
    view.header(tail + layout::stride_of(100)).word = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        *(view.payload(0) - 16 + (tail + 16 + i) % 4096) = static_cast<std::byte>(text[i]);
    }
    view.header(tail).sequence = sequence;
    view.header(tail).word = word::make(word::committed, text.size(), dead);
    view.append().lock = dead;
    CHECK(out.send_for(bytes("after"), patience));
    CHECK(take_texts(in, 2) == texts{text, "after"});
}
