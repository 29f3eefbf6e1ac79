// A message that could not be worked on: given back, tried again, or buried.
#include <doctest/doctest.h>

#include <algorithm>

#include "shm/dead_letter.hpp"
#include "shm/name.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// A ring whose dead letters are gone afterwards, too.
struct a_ring_with_letters : a_ring {
    explicit a_ring_with_letters(const ring_options& options = small()) : a_ring{options} {}
    a_ring_with_letters(const a_ring_with_letters&) = delete;
    a_ring_with_letters& operator=(const a_ring_with_letters&) = delete;
    ~a_ring_with_letters() { (void)ring::remove(letters()); }

    [[nodiscard]] std::string letters() const { return dead_letter_ring_of(name.str()); }
};

message received(consumer& in) {
    const auto got = in.receive_for(patience);
    REQUIRE(got);
    return got;
}

}  // namespace

TEST_CASE("reject: the message comes again at once and says which attempt it is") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"one", "two"});
    in.reject(received(in));
    // Behind it in the ring, and not held up by it.
    CHECK(take_texts(in, 2).size() == 2);
    CHECK(here.ring.status().groups.at(0).lag_bytes == 0);
}

TEST_CASE("reject: counts one attempt each time and marks what comes again") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring, {.max_attempts = 0}};
    send_all(out, {"one"});
    for (std::uint32_t attempt = 1; attempt <= 10; ++attempt) {
        const auto again = received(in);
        CHECK(again.text() == "one");
        CHECK(again.attempt() == attempt);
        CHECK(again.redelivered() == (attempt > 1));
        in.reject(again);
    }
}

TEST_CASE("reject: what was received before it counts as acknowledged and the rest goes on") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"one", "two", "three", "four"});
    (void)received(in);
    (void)received(in);
    const auto third = received(in);
    in.reject(third);
    std::vector<std::string> rest;
    for (const auto& each : take(in, 2)) { rest.push_back(each.text); }
    std::sort(rest.begin(), rest.end());
    CHECK(rest == std::vector<std::string>{"four", "three"});
    out.close();
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("reject: with a delay nobody gets it before its time and others are not held up") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring};
    consumer other{here.ring};
    send_all(out, {"late"});
    const auto late = received(in);
    const stopwatch since;
    constexpr auto delay = 60ms;
    in.reject(late, delay);
    send_all(out, {"next"});
    CHECK(received(other).text() == "next");
    other.acknowledge();
    const auto again = in.receive_for(patience);
    CHECK(since.elapsed() >= delay);
    CHECK(again.text() == "late");
    CHECK(again.attempt() == 2);
}

TEST_CASE("reject: the stream does not end before the message that was given back is done") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"last"});
    in.reject(received(in), 50ms);
    out.close();
    CHECK(received(in).text() == "last");
    in.acknowledge();
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("reject: without a free slot the whole lease waits and nothing is lost") {
    auto options = small();
    options.members = 2;
    const a_ring here{options};
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"one", "two", "three"});
    in.reject(received(in), 20ms);
    auto texts = take_texts(in, 3);
    std::sort(texts.begin(), texts.end());
    CHECK(texts == std::vector<std::string>{"one", "three", "two"});
    out.close();
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("reject: a message that was acknowledged or never received is refused") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"one"});
    const auto done = received(in);
    in.acknowledge(done);
    CHECK(error_of([&] { in.reject(done); }) == errc::invalid_argument);
    CHECK(error_of([&] { (void)in.count_attempt(done); }) == errc::invalid_argument);
}

TEST_CASE("count_attempt: the count outlives the consumer and is the next one's") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"one", "two"});
    const auto first = received(in);
    CHECK(first.attempt() == 1);
    CHECK(in.count_attempt(first) == 2);
    CHECK(in.count_attempt(first) == 3);
    in.close();
    consumer next{here.ring};
    const auto again = received(next);
    CHECK(again.text() == "one");
    CHECK(again.attempt() == 3);  // a clean leave is no attempt
}

TEST_CASE("count_attempt: belongs to its message and not to the one behind it") {
    const a_ring here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"one", "two"});
    const auto first = received(in);
    CHECK(in.count_attempt(first) == 2);
    in.acknowledge(first);
    const auto second = received(in);
    CHECK(second.attempt() == 1);
    CHECK(in.count_attempt(second) == 2);
}

TEST_CASE("bury: the letter says what and why and how often and the stream goes on") {
    const a_ring_with_letters here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"good", "bad", "good too"});
    CHECK(received(in).text() == "good");
    const auto bad = received(in);
    const auto before = std::chrono::system_clock::now();
    CHECK(in.bury(bad, "cannot be parsed"));
    CHECK(in.buried() == 1);
    CHECK(received(in).text() == "good too");

    const auto letters = ring::open(here.letters());
    consumer reader{letters};
    const auto envelope = received(reader);
    const auto letter = read_dead_letter(envelope.payload());
    REQUIRE(letter);
    CHECK(letter->sequence == 1);
    CHECK(letter->attempts == 1);
    CHECK(letter->why == "cannot be parsed");
    CHECK(letter->when >= before - 1s);
    CHECK(letter->when <= std::chrono::system_clock::now() + 1s);
    CHECK(std::string(reinterpret_cast<const char*>(letter->payload.data()),
                      letter->payload.size()) == "bad");
}

TEST_CASE("bury: without room for the letter the caller is told and the loss is counted") {
    const a_ring_with_letters here;
    producer out{here.ring};
    consumer in{here.ring};
    send_all(out, {"one"});
    auto full = ring::create(here.letters(), small());
    producer filler{full};
    (void)fill(filler, "no room");
    CHECK_FALSE(in.bury(received(in), "why"));
    CHECK(here.ring.status().dead_letters_dropped == 1);
    CHECK(here.ring.status().groups.at(0).lag_bytes == 0);
}

TEST_CASE("max_attempts: a message that was given back too often is buried without being seen") {
    const a_ring_with_letters here;
    producer out{here.ring};
    consumer in{here.ring, {.max_attempts = 2}};
    send_all(out, {"hopeless"});
    out.close();
    in.reject(received(in));
    const auto last = received(in);
    CHECK(last.attempt() == 2);
    in.reject(last);
    CHECK(status_after_last(in) == receive_status::end);
    CHECK(in.buried() == 1);
    CHECK(ring::open(here.letters()).status().messages == 1);
}

TEST_CASE("dead letter: bytes that are no envelope are none") {
    CHECK_FALSE(read_dead_letter({}));
    CHECK_FALSE(read_dead_letter(bytes("short")));
    CHECK_FALSE(read_dead_letter(bytes(std::string(64, 'x'))));
    // The right magic and version, and a reason longer than all there is.
    std::string forged(32, '\0');
    forged.replace(0, 4, "RPDL");
    forged[4] = 1;
    CHECK(read_dead_letter(bytes(forged)));
    forged[28] = 1;
    CHECK_FALSE(read_dead_letter(bytes(forged)));
}
