// What --verify finds, message by message.
#include "consumer/verifier.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <vector>

#include "common/generate.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe::test;
using ringpipe::consumer_program::verifier;

namespace {

// Sends these numbers, and has `sut` check them.
struct checked {
    explicit checked(verifier& sut_) : sut{sut_} {}

    void number(std::uint64_t number, bool damaged = false) {
        std::array<std::byte, 32> space{};
        ringpipe::fill_generated(space, number);
        if (damaged) { space[20] ^= std::byte{1}; }
        out.send(space);
        take_one();
    }
    void take_one() {
        const auto message = in.receive_for(patience);
        REQUIRE(message);
        in_order = sut.check(message);
        in.acknowledge(message);
    }

    verifier& sut;
    a_ring where;
    ringpipe::producer out{where.ring};
    ringpipe::consumer in{where.ring};
    bool in_order = true;
};

}  // namespace

TEST_CASE("a verifier is content with all numbers from 0") {
    verifier sut{true};
    checked messages{sut};
    for (std::uint64_t number = 0; number < 5; ++number) {
        messages.number(number);
        CHECK(messages.in_order);
    }
    CHECK(sut.good());
}

TEST_CASE("a verifier finds the number that is missing, in the middle and at the beginning") {
    verifier sut{true};
    checked messages{sut};
    messages.number(1);
    CHECK(!messages.in_order);
    messages.number(3);
    CHECK(!messages.in_order);
    CHECK(sut.missing() == 2);
    CHECK(!sut.good());

    SUBCASE("but not when others share the group") {
        sut.shares();
        CHECK(sut.missing() == 0);
        CHECK(sut.good());
    }
}

TEST_CASE("a verifier that joined late begins with the first number it sees") {
    verifier sut{false};
    checked messages{sut};
    messages.number(7);
    messages.number(8);
    CHECK(sut.good());
}

TEST_CASE("a verifier finds a damaged message, and takes its number for missing") {
    verifier sut{true};
    checked messages{sut};
    messages.number(0);
    messages.number(1, true);
    messages.number(2);
    CHECK(sut.damaged() == 1);
    CHECK(sut.missing() == 1);
    CHECK(!sut.good());
}

TEST_CASE("a verifier finds a number that comes twice unmarked") {
    verifier sut{true};
    checked messages{sut};
    messages.number(0);
    messages.number(0);
    CHECK(!sut.good());
}

TEST_CASE("a verifier finds numbers out of order") {
    verifier sut{true};
    checked messages{sut};
    messages.number(0);
    messages.number(2);
    messages.number(1);
    CHECK(sut.missing() == 0);
    CHECK(!sut.good());
}

TEST_CASE("a verifier finds what was never generated") {
    verifier sut{true};
    checked messages{sut};
    messages.out.send(bytes("something else"));
    messages.take_one();
    CHECK(!sut.good());
}

TEST_CASE("a verifier counts each producer's numbers for itself") {
    verifier sut{true};
    checked messages{sut};
    messages.number(0);
    std::array<std::byte, 32> space{};
    ringpipe::fill_generated(space, 0);
    ringpipe::producer other{messages.where.ring};
    other.send(space);
    messages.take_one();
    CHECK(sut.good());
}
