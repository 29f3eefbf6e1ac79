// --generate at one end, --verify at the other.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("generated messages are verified") {
    for (const std::string what : {"100000", "1000:16", "300:10KiB"}) {
        CAPTURE(what);
        const unique_ring name;
        producer_program producer{{name, "--generate", what, "--stats"}};
        consumer_program consumer{{name, "--verify", "--stats"}};
        CHECK(producer.wait() == 0);
        CHECK(consumer.wait() == 0);
        CHECK(consumer.err().find("\"missing\":0") != std::string::npos);
        CHECK(consumer.err().find("\"ended\":\"clean\"") != std::string::npos);
        CHECK(producer.err().find("\"ended\":\"clean\"") != std::string::npos);
    }
}

TEST_CASE("consumers that share generated messages do not miss what the others have got") {
    const unique_ring name;
    consumer_program one{{name, "--verify"}};
    consumer_program two{{name, "--verify"}};
    REQUIRE(name.has_consumers(2));
    producer_program producer{{name, "--generate", "300k"}};
    CHECK(producer.wait() == 0);
    CHECK(one.wait() == 0);
    CHECK(two.wait() == 0);
}

TEST_CASE("verifying lines that were never generated ends with 65") {
    const unique_ring name;
    producer_program producer{{name}, {.input = "not generated\n"}};
    consumer_program consumer{{name, "--verify"}};
    CHECK(producer.wait() == 0);
    CHECK(consumer.wait() == 65);
    CHECK(is_one_line(consumer.err(), "ringpipe-consumer: "));
}

TEST_CASE("verifying the rest of a group does not miss what was taken before") {
    const unique_ring name;
    producer_program producer{{name, "--generate", "10"}};
    CHECK(producer.wait() == 0);
    consumer_program first{{name, "--count", "4", "--to", "/dev/null"}};
    CHECK(first.wait() == 0);
    consumer_program rest{{name, "--verify"}};
    CHECK(rest.wait() == 0);
}
