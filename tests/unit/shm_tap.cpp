// A tap sees what passes, holds nobody back, and says exactly what it missed.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "shm/tap.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

tapped_message seen_by(tap& from) {
    tapped_message seen;
    REQUIRE(from.receive_for(seen, patience) == receive_status::message);
    return seen;
}

}  // namespace

TEST_CASE("tap: sees what is sent from now on with its number and its producer") {
    const a_ring here;
    producer out{here.ring};
    send_all(out, {"before"});
    tap sut{here.ring};
    tapped_message seen;
    CHECK(sut.try_receive(seen) == receive_status::timed_out);
    send_all(out, {"one", "", pattern(1000)});
    consumer in{here.ring};
    const auto before = in.receive();
    CHECK(seen_by(sut).text() == "one");
    CHECK(seen_by(sut).text().empty());
    const auto last = seen_by(sut);
    CHECK(last.text() == pattern(1000));
    CHECK(last.sequence == 3);
    CHECK(last.producer == before.producer());
    CHECK(sut.missed() == 0);
}

TEST_CASE("tap: from the earliest it sees all that nobody has taken yet") {
    const a_ring here;
    producer out{here.ring};
    send_all(out, {"one", "two"});
    tap sut{here.ring, start_at::earliest};
    CHECK(seen_by(sut).text() == "one");
    CHECK(seen_by(sut).text() == "two");
}

TEST_CASE("tap: nobody waits for it and it counts what it has missed") {
    const a_ring here;
    consumer in{here.ring};
    producer out{here.ring};
    tap sut{here.ring};
    send_all(out, {"first"});
    CHECK(take(in, 1).size() == 1);
    CHECK(seen_by(sut).text() == "first");
    // Many times round the ring, which has no room for the tap's place.
    constexpr std::uint64_t many = 1000;
    for (std::uint64_t i = 0; i < many; ++i) {
        REQUIRE(out.send_for(bytes(pattern(200, i)), patience));
        REQUIRE(take(in, 1).size() == 1);
    }
    send_all(out, {"last"});
    std::uint64_t received = 0;
    auto seen = seen_by(sut);
    CHECK(seen.missed == sut.missed());
    for (; seen.text() != "last"; seen = seen_by(sut)) {
        CHECK(seen.text() == pattern(200, seen.sequence - 1));
        ++received;
    }
    CHECK(seen.sequence == many + 1);
    CHECK(sut.missed() > 0);
    CHECK(received + sut.missed() == many);
}

TEST_CASE("tap: what was discarded is not shown and not counted as missed") {
    const a_ring here;
    producer out{here.ring};
    tap sut{here.ring};
    send_all(out, {"one"});
    out.lend(10).discard();
    auto shorter = out.lend(100);
    shorter.commit(3);
    send_all(out, {"two"});
    CHECK(seen_by(sut).text() == "one");
    CHECK(seen_by(sut).payload.size() == 3);
    CHECK(seen_by(sut).text() == "two");
    CHECK(sut.missed() == 0);
}

TEST_CASE("tap: the external id of a named producer is not part of the payload") {
    const a_ring here;
    producer out{here.ring, {.resume = "feed"}};
    tap sut{here.ring};
    out.send(bytes("one"), 1);
    CHECK(seen_by(sut).text() == "one");
}

TEST_CASE("tap: sees the end and the truncation when all has been seen") {
    const a_ring here;
    tap sut{here.ring};
    producer out{here.ring};
    send_all(out, {"one"});
    out.close();
    CHECK(seen_by(sut).text() == "one");
    tapped_message seen;
    CHECK(sut.receive_for(seen, patience) == receive_status::end);
    CHECK(sut.try_receive(seen) == receive_status::end);
    producer{here.ring}.abandon();
    CHECK(sut.receive_for(seen, patience) == receive_status::truncated);
}

TEST_CASE("tap: what a dead producer left half-written is stepped over") {
    const a_ring here;
    tap sut{here.ring};
    child dies{[&](const in_child& parent) -> int {
        producer out{here.ring};
        const auto never_committed = out.lend(50);
        parent.tell_and_stay();
    }};
    REQUIRE(dies.await());
    producer out{here.ring};
    send_all(out, {"behind it"});
    dies.kill();
    CHECK(seen_by(sut).text() == "behind it");
}

TEST_CASE("tap: forged positions are an error and no endless walk") {
    const a_ring here;
    tap sut{here.ring};
    const segment_view raw{here.name.path()};
    tapped_message seen;
    SUBCASE("a frontier beyond the limit") { raw.append().frontier.store(1 << 20); }
    SUBCASE("a ring full of what was discarded") {
        for (layout::position at = 0; at < here.ring.capacity(); at += layout::header_bytes) {
            raw.header(at).word.store(layout::word::make(layout::word::discarded, 0, 1));
        }
    }
    CHECK(error_of([&] { (void)sut.receive_for(seen, patience); }) == errc::corrupt);
}

TEST_CASE("tap: every message that it believes is whole while producers write over it") {
    const a_ring here;
    constexpr std::uint64_t count = 20'000;
    tap sut{here.ring};
    std::thread feeds{[&] {
        consumer in{ring::open(here.name)};
        producer out{ring::open(here.name)};
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!out.send_for(bytes(pattern(i % 300, i)), patience)) { return; }
            if (const auto got = in.receive_for(patience)) { in.acknowledge(got); }
        }
    }};
    tapped_message seen;
    std::uint64_t received = 0;
    std::uint64_t wrong = 0;
    auto status = sut.receive_for(seen, patience);
    for (; status == receive_status::message; status = sut.receive_for(seen, patience)) {
        ++received;
        wrong += seen.text() == pattern(seen.sequence % 300, seen.sequence) ? 0 : 1;
    }
    feeds.join();
    CHECK(status == receive_status::end);
    CHECK(wrong == 0);
    CHECK(received > 0);
    CHECK(received + sut.missed() <= count);
}
