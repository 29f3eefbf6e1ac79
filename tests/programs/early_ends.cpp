// One side is killed, interrupted or cannot go on: what the other one is told, and what has arrived.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("a producer that is killed leaves a truncated stream: consumers end with 3") {
    const unique_ring name;
    const pipe_ends typed;
    consumer_program one{{name}};
    consumer_program two{{name, "--group", "other"}};
    REQUIRE(name.has_consumers(2));
    producer_program producer{{name}, {.in = typed.read.get()}};
    REQUIRE(::write(typed.write.get(), "a\nb\n", 4) == 4);
    REQUIRE(eventually([&] { return one.out() == "a\nb\n" && two.out() == "a\nb\n"; }));
    producer.signal(SIGKILL);
    CHECK(one.wait() == 3);
    CHECK(two.wait() == 3);
    CHECK(is_one_line(one.err(), "ringpipe-consumer: "));
}

TEST_CASE("a producer that is interrupted ends with 130, and the stream is truncated") {
    const unique_ring name;
    const pipe_ends typed;
    consumer_program consumer{{name}};
    producer_program producer{{name}, {.in = typed.read.get()}};
    REQUIRE(::write(typed.write.get(), "a\nb", 3) == 3);
    REQUIRE(eventually([&] { return consumer.out() == "a\n"; }));
    producer.signal(SIGINT);
    CHECK(producer.wait() == 130);
    CHECK(consumer.wait() == 3);
    CHECK(consumer.out() == "a\n");
}

TEST_CASE("a producer that waits for room can be interrupted") {
    const unique_ring name;
    producer_program producer{{name, "--capacity", "4KiB"}, {.input = numbers(1, 10'000)}};
    REQUIRE(name.has_sent(1));
    producer.signal(SIGTERM);
    CHECK(producer.wait() == 143);
}

TEST_CASE("a second file that cannot be read truncates the stream, the first one has arrived") {
    const unique_ring name;
    const unique_file good{"a\nb\n"};
    producer_program producer{{name, good.path(), "/nowhere/at-all"}};
    consumer_program consumer{{name}};
    CHECK(producer.wait() == 66);
    CHECK(is_one_line(producer.err(), "ringpipe-producer: "));
    CHECK(consumer.wait() == 3);
    CHECK(consumer.out() == "a\nb\n");
}

TEST_CASE("a consumer whose reader goes away ends quietly, and the next one has all the rest") {
    const unique_ring name;
    producer_program producer{{name}, {.input = numbers(1, 100'000)}};
    CHECK(producer.wait() == 0);

    auto pipe = std::make_unique<pipe_ends>();
    consumer_program first{{name}, {.out = pipe->write.get()}};
    pipe->write.reset();
    std::string got(100'000, '\0');  // more than the pipe holds at first
    std::size_t size = 0;
    while (size < got.size()) {
        const auto count = ::read(pipe->read.get(), got.data() + size, got.size() - size);
        REQUIRE(count > 0);
        size += static_cast<std::size_t>(count);
    }
    // What is in the pipe was written, though nobody will read it: it may not come again.
    pipe->read.reset();
    CHECK(first.wait() == 0);
    CHECK(first.err() == "");

    consumer_program second{{name}};
    CHECK(second.wait() == 0);
    const auto rest = sorted_numbers({second.out()});
    REQUIRE(!rest.empty());
    CHECK(rest.back() == 100'000);
    CHECK((rest == sorted_numbers({numbers(static_cast<int>(rest.front()), 100'000)})));
    // No gap that a full pipe (64 KiB) does not explain; and something was acknowledged.
    const auto whole_lines = std::count(got.begin(), got.end(), '\n');
    CHECK(rest.front() > whole_lines);
    CHECK(rest.front() <= whole_lines + 2 * 65'536);
}

TEST_CASE("a consumer that waits notices that its reader went away") {
    const unique_ring name;
    auto pipe = std::make_unique<pipe_ends>();
    consumer_program consumer{{name}, {.out = pipe->write.get()}};
    REQUIRE(name.has_consumers(1));
    pipe.reset();
    CHECK(consumer.wait() == 0);
}

TEST_CASE("a consumer that is interrupted has acknowledged what it wrote, and no more") {
    const unique_ring name;
    const pipe_ends typed;
    consumer_program first{{name}};
    producer_program producer{{name}, {.in = typed.read.get()}};
    REQUIRE(::write(typed.write.get(), "a\n", 2) == 2);
    REQUIRE(eventually([&] { return first.out() == "a\n"; }));
    first.signal(SIGTERM);
    CHECK(first.wait() == 143);
    REQUIRE(::write(typed.write.get(), "b\n", 2) == 2);
    consumer_program second{{name, "--count", "1"}};
    CHECK(second.wait() == 0);
    CHECK(second.out() == "b\n");
}
