// The pair, as a user starts it in two terminals.
#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("a file comes out byte for byte, whatever the framing") {
    const auto bytes_of_file = pattern(200'003);
    std::string with_lengths;
    for (const std::size_t size : {0U, 1U, 70'000U, 255U, 256U}) {
        for (unsigned i = 0; i < 4; ++i) { with_lengths += static_cast<char>(size >> (8 * i)); }
        with_lengths += pattern(size, size);
    }
    const std::vector<std::pair<std::string, std::string>> cases{
        {"lines", numbers(1, 100'000)},
        {"nul", std::string{"a\nb\0\0c d\0", 9}},
        {"length", with_lengths},
        {"fixed:7", pattern(7 * 20'000)},
        {"fixed:20KiB", pattern(std::size_t{20} << 10U) + pattern(std::size_t{20} << 10U, 1)},
        {"chunks:1000", bytes_of_file},
        {"chunks:64KiB", bytes_of_file},
        {"chunks:1MiB", bytes_of_file},
    };
    for (const auto& each : cases) {
        const auto& framing = each.first;  // clang 14 captures no structured bindings
        const auto& content = each.second;
        CAPTURE(framing);
        const unique_ring name;
        const unique_file in{content};
        const unique_file out;
        producer_program producer{{name, in.path(), "--framing", framing}};
        consumer_program consumer{{name, "--framing", framing, "--to", out.path()}};
        CHECK(producer.wait() == 0);
        CHECK(consumer.wait() == 0);
        CHECK(producer.err() == "");
        CHECK(consumer.err() == "");
        CHECK((out.content() == content));
    }
}

TEST_CASE("standard input and several files follow each other, a last line needs no end") {
    const unique_ring name;
    const unique_file first{"a\nb"};
    const unique_file third{"d\n"};
    producer_program producer{{name, first.path(), "-", third.path()}, {.input = "c\n"}};
    consumer_program consumer{{name}};
    CHECK(producer.wait() == 0);
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == "a\nb\nc\nd\n");
}

TEST_CASE("either side may start first") {
    const unique_ring name;
    consumer_program consumer{{name}};
    REQUIRE(name.has_consumers(1));
    producer_program producer{{name}, {.input = numbers(1, 1000)}};
    CHECK(producer.wait() == 0);
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == numbers(1, 1000));
}

TEST_CASE("a line arrives at once, not when a batch is full") {
    const unique_ring name;
    const pipe_ends typed;
    consumer_program consumer{{name}};
    producer_program producer{{name}, {.in = typed.read.get()}};
    REQUIRE(::write(typed.write.get(), "hello\n", 6) == 6);
    CHECK(eventually([&] { return consumer.out() == "hello\n"; }));
}

TEST_CASE("several consumers of one group share the messages") {
    const unique_ring name;
    producer_program producer{{name, "--capacity", "64KiB"}, {.input = numbers(1, 200'000)}};
    REQUIRE(name.has_sent(1));
    consumer_program one{{name}};
    consumer_program two{{name}};
    consumer_program three{{name}};
    CHECK(producer.wait() == 0);
    CHECK(one.wait() == 0);
    CHECK(two.wait() == 0);
    CHECK(three.wait() == 0);
    CHECK((sorted_numbers({one.out(), two.out(), three.out()}) ==
           sorted_numbers({numbers(1, 200'000)})));
}

TEST_CASE("each group made by --groups gets all from the beginning") {
    const unique_ring name;
    const auto input = numbers(1, 50'000);
    producer_program producer{{name, "--groups", "a,b,c", "--capacity", "64KiB"}, {.input = input}};
    REQUIRE(name.has_sent(1));
    consumer_program a{{name, "--group", "a"}};
    consumer_program b{{name, "--group", "b"}};
    consumer_program c{{name, "--group", "c"}};
    CHECK(producer.wait() == 0);
    for (auto* consumer : {&a, &b, &c}) {
        CHECK(consumer->wait() == 0);
        CHECK((consumer->out() == input));
    }
}

TEST_CASE("--count ends both sides") {
    const unique_ring name;
    producer_program producer{{name, "--count", "5"}, {.input = numbers(1, 1000)}};
    CHECK(producer.wait() == 0);
    consumer_program first{{name, "--count", "2"}};
    CHECK(first.wait() == 0);
    CHECK(first.out() == numbers(1, 2));
    consumer_program rest{{name}};
    CHECK(rest.wait() == 0);
    CHECK(rest.out() == numbers(3, 5));
}

TEST_CASE("--rate takes its time") {
    const unique_ring name;
    const stopwatch watch;
    producer_program producer{{name, "--rate", "100"}, {.input = numbers(1, 21)}};
    CHECK(producer.wait() == 0);
    CHECK(watch.elapsed() >= 200ms);
}

TEST_CASE("--timeout gives up with 75 when nothing comes") {
    const unique_ring name;
    consumer_program consumer{{name, "--timeout", "50ms", "--stats"}};
    CHECK(consumer.wait() == 75);
    CHECK(consumer.err().find("\"ended\":\"timeout\"") != std::string::npos);
}

TEST_CASE("--follow waits for the next producer") {
    const unique_ring name;
    consumer_program consumer{{name, "--follow", "--count", "2"}};
    producer_program first{{name}, {.input = "a\n"}};
    CHECK(first.wait() == 0);
    REQUIRE(eventually([&] { return consumer.out() == "a\n"; }));
    producer_program second{{name}, {.input = "b\n"}};
    CHECK(second.wait() == 0);
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == "a\nb\n");
}

TEST_CASE("an empty input is a stream that has ended") {
    const unique_ring name;
    producer_program producer{{name}};
    CHECK(producer.wait() == 0);
    consumer_program consumer{{name}};
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == "");
}
