// A producer with a name that outlives it, and knows how far it had come.
#include <doctest/doctest.h>

#include <array>

#include "shm/layout.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

producer named(const ring& to, const std::string& name = "feed") {
    return producer{to, {.resume = name}};
}

// Sends up to `last` under the name, and is killed before it could say goodbye.
void die_after(const ring& to, std::uint64_t last) {
    child dies{[&](const in_child& parent) -> int {
        auto out = named(to);
        for (auto id = out.last_id().value_or(0) + 1; id <= last; ++id) {
            out.send(bytes(std::to_string(id)), id);
        }
        parent.tell_and_stay();
    }};
    REQUIRE(dies.await());
    dies.kill();
}

}  // namespace

TEST_CASE("named producer: a new name has no last id and an old one goes on behind its own") {
    const a_ring here;
    {
        auto out = named(here.ring);
        CHECK_FALSE(out.last_id());
        out.send(bytes("a"), 0);
        CHECK(out.last_id() == 0);
        out.send(bytes("b"), 17);
        CHECK(out.last_id() == 17);
    }
    auto again = named(here.ring);
    CHECK(again.last_id() == 17);
    CHECK_FALSE(named(here.ring, "other").last_id());
}

TEST_CASE("named producer: the id is not part of the payload") {
    const a_ring here;
    consumer in{here.ring};
    auto out = named(here.ring);
    for (const std::size_t size : {0U, 1U, 8U, 15U, 16U, 17U, 100U, 1000U}) {
        const auto text = pattern(size, size);
        out.send(bytes(text), size);
        CHECK(take_texts(in, 1) == std::vector{text});
    }
}

TEST_CASE("named producer: a batch remembers the id of its last message") {
    const a_ring here;
    consumer in{here.ring};
    auto out = named(here.ring);
    const std::array texts{bytes("one"), bytes("two"), bytes("three")};
    const std::array<std::uint64_t, 3> ids{5, 6, 9};
    CHECK(out.send_batch_until(texts, ids, never));
    CHECK(out.last_id() == 9);
    CHECK(take_texts(in, 3) == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("named producer: ids without a name or of another number than the messages are refused") {
    const a_ring here;
    producer nameless{here.ring};
    CHECK(error_of([&] { nameless.send(bytes("a"), 1); }) == errc::invalid_argument);
    CHECK_FALSE(nameless.last_id());
    auto out = named(here.ring);
    const std::array texts{bytes("one"), bytes("two")};
    const std::array<std::uint64_t, 1> ids{1};
    CHECK(error_of([&] { (void)out.send_batch_until(texts, ids, never); }) ==
          errc::invalid_argument);
    CHECK(here.ring.status().messages == 0);
}

TEST_CASE("named producer: one at a time under a name") {
    const a_ring here;
    const auto first = named(here.ring);
    CHECK(error_of([&] { (void)named(here.ring); }) == errc::name_in_use);
    CHECK_FALSE(error_of([&] { (void)named(here.ring, "other"); }));
}

TEST_CASE("named producer: one that is killed truncates the stream until it is resumed") {
    const a_ring here;
    consumer in{here.ring};
    die_after(here.ring, 3);
    CHECK(take_texts(in, 3) == std::vector<std::string>{"1", "2", "3"});
    CHECK(status_after_last(in) == receive_status::truncated);

    auto out = named(here.ring);
    CHECK(out.last_id() == 3);
    out.send(bytes("4"), 4);
    out.close();
    CHECK(take_texts(in, 1) == std::vector<std::string>{"4"});
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("named producer: resuming takes back its own mark and nobody else's") {
    const a_ring here;
    consumer in{here.ring};
    die_after(here.ring, 1);
    producer{here.ring}.abandon();
    named(here.ring).close();
    CHECK(take_texts(in, 1).size() == 1);
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("named producer: sends with a deadline leave the last id alone when there is no room") {
    const a_ring here;
    consumer in{here.ring};
    auto out = named(here.ring);
    std::uint64_t id = 0;
    while (out.send_until(bytes("filling"), id + 1, deadline::min())) { ++id; }
    CHECK(out.last_id() == id);
    CHECK_FALSE(out.send_until(bytes("filling"), id + 1, after(5ms)));
    CHECK(out.last_id() == id);
}

TEST_CASE("named producer: there is room for as many names as the table has and no more") {
    const a_ring here;
    for (std::uint32_t i = 0; i < layout::max_named; ++i) {
        named(here.ring, "feed " + std::to_string(i)).close();
    }
    CHECK(error_of([&] { (void)named(here.ring, "one too many"); }) == errc::names_full);
    CHECK_FALSE(error_of([&] { (void)named(here.ring, "feed 0"); }));
}
