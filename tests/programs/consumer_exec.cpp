// --exec: a command for each message, and what becomes of those it fails on.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "shm/consumer.hpp"
#include "shm/dead_letter.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("--exec runs a command for each message, with what it should know") {
    const unique_ring name;
    producer_program producer{{name}, {.input = "a\nb\n"}};
    CHECK(producer.wait() == 0);
    consumer_program consumer{
        {name, "--exec", "cat; echo \" $RINGPIPE_SEQUENCE $RINGPIPE_ATTEMPT $RINGPIPE_RING\""}};
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == "a 0 1 " + name.str() + "\nb 1 1 " + name.str() + "\n");
}

TEST_CASE("--exec tries again") {
    const unique_ring name;
    producer_program producer{{name}, {.input = "a\n"}};
    CHECK(producer.wait() == 0);

    consumer_program second_time{
        {name, "--exec", "echo $RINGPIPE_ATTEMPT; test $RINGPIPE_ATTEMPT = 2"}};
    CHECK(second_time.wait() == 0);
    CHECK(second_time.out() == "1\n2\n");
}

TEST_CASE("a message that --exec fails on too often becomes a dead letter and the stream goes on") {
    const unique_ring name;
    producer_program producer{{name}, {.input = "a\nb\nc\n"}};
    CHECK(producer.wait() == 0);

    consumer_program sut{
        {name, "--max-attempts", "2", "--exec", "read line; test $line != b && echo $line"}};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == "a\nc\n");

    consumer letters{ring::open(dead_letter_ring_of(name.str()))};
    const auto message = letters.receive_for(patience);
    REQUIRE(message);
    const auto letter = read_dead_letter(message.payload());
    REQUIRE(letter.has_value());
    CHECK(letter->attempts == 2);
    CHECK(letter->sequence == 1);
    CHECK(letter->why == "exit code 1");
    const auto* text = reinterpret_cast<const char*>(letter->payload.data());
    CHECK(std::string_view{text, letter->payload.size()} == "b");
}
