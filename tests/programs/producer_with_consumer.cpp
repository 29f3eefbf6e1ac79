// The pair, as a user starts it in two terminals.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "shm/consumer.hpp"
#include "shm/dead_letter.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

constexpr auto within_a_second = std::chrono::milliseconds{1000};

bool has_consumers(const std::string& name, std::uint32_t count) {
    return eventually([&] {
        try {
            return ring::open(name, deadline::min()).status().consumers == count;
        } catch (const error&) {
            return false;  // nobody has made it yet
        }
    });
}

bool has_sent(const std::string& name, std::uint64_t messages) {
    return eventually([&] {
        try {
            return ring::open(name, deadline::min()).status().messages >= messages;
        } catch (const error&) { return false; }
    });
}

std::vector<long> sequence(long from, long to) {
    std::vector<long> all(static_cast<std::size_t>(to - from + 1));
    std::iota(all.begin(), all.end(), from);
    return all;
}

}  // namespace

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
    for (const auto& [framing, content] : cases) {
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
    REQUIRE(has_consumers(name, 1));
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
    REQUIRE(has_sent(name, 1));
    consumer_program one{{name}};
    consumer_program two{{name}};
    consumer_program three{{name}};
    CHECK(producer.wait() == 0);
    CHECK(one.wait() == 0);
    CHECK(two.wait() == 0);
    CHECK(three.wait() == 0);
    CHECK((sorted_numbers({one.out(), two.out(), three.out()}) == sequence(1, 200'000)));
}

TEST_CASE("each group made by --groups gets all from the beginning") {
    const unique_ring name;
    const auto input = numbers(1, 50'000);
    producer_program producer{{name, "--groups", "a,b,c", "--capacity", "64KiB"}, {.input = input}};
    REQUIRE(has_sent(name, 1));
    consumer_program a{{name, "--group", "a"}};
    consumer_program b{{name, "--group", "b"}};
    consumer_program c{{name, "--group", "c"}};
    CHECK(producer.wait() == 0);
    for (auto* consumer : {&a, &b, &c}) {
        CHECK(consumer->wait() == 0);
        CHECK((consumer->out() == input));
    }
}

TEST_CASE(
    "a producer that is killed leaves a truncated stream: consumers end with 3 within a second") {
    const unique_ring name;
    const pipe_ends typed;
    consumer_program one{{name}};
    consumer_program two{{name, "--group", "other"}};
    REQUIRE(has_consumers(name, 2));
    producer_program producer{{name}, {.in = typed.read.get()}};
    REQUIRE(::write(typed.write.get(), "a\nb\n", 4) == 4);
    REQUIRE(eventually([&] { return one.out() == "a\nb\n" && two.out() == "a\nb\n"; }));
    producer.signal(SIGKILL);
    CHECK(one.wait(within_a_second) == 3);
    CHECK(two.wait(within_a_second) == 3);
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
    REQUIRE(has_sent(name, 1));
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
    REQUIRE(has_consumers(name, 2));
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

    ringpipe::consumer letters{ringpipe::ring::open(ringpipe::dead_letter_ring_of(name.str()))};
    const auto message = letters.receive_for(std::chrono::seconds{5});
    REQUIRE(message);
    const auto letter = ringpipe::read_dead_letter(message.payload());
    REQUIRE(letter.has_value());
    CHECK(letter->attempts == 2);
    CHECK(letter->sequence == 1);
    CHECK(letter->why == "exit code 1");
    const auto* text = reinterpret_cast<const char*>(letter->payload.data());
    CHECK(std::string_view{text, letter->payload.size()} == "b");
}

TEST_CASE("a producer that is killed and started again under its name sends nothing twice") {
    const unique_ring name;
    const auto input = numbers(1, 200'000);
    const unique_file file{input};
    // More than the ring holds: the first one is killed while it waits for room.
    ringpipe::ring_options small;
    small.capacity = 65536;
    const auto ring = ringpipe::ring::create(name.str(), small);
    ringpipe::consumer in{ring};
    producer_program first{{name, "--resume", "it", file.path()}};
    std::string got;
    const auto take = [&](std::size_t most) {
        for (std::size_t i = 0; i < most; ++i) {
            const auto message = in.receive_for(std::chrono::seconds{10});
            if (!message) { return message.status(); }
            got.append(message.text()).push_back('\n');
            in.acknowledge(message);
        }
        return ringpipe::receive_status::message;
    };
    CHECK(take(5'000) == ringpipe::receive_status::message);
    first.signal(SIGKILL);
    CHECK(first.wait() == 128 + SIGKILL);
    producer_program second{{name, "--resume", "it", file.path()}};
    // Not before it is there: the stream would end, truncated, for want of a producer.
    while (ring.status().producers == 0) { std::this_thread::yield(); }
    CHECK(take(1'000'000) == ringpipe::receive_status::end);
    CHECK(second.wait() == 0);
    CHECK(got == input);
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
    CHECK((rest == sequence(rest.front(), 100'000)));
    // No gap that a full pipe (64 KiB) does not explain; and something was acknowledged.
    const auto whole_lines = std::count(got.begin(), got.end(), '\n');
    CHECK(rest.front() > whole_lines);
    CHECK(rest.front() <= whole_lines + 2 * 65'536);
}

TEST_CASE("a consumer that waits notices that its reader went away") {
    const unique_ring name;
    auto pipe = std::make_unique<pipe_ends>();
    consumer_program consumer{{name}, {.out = pipe->write.get()}};
    REQUIRE(has_consumers(name, 1));
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

TEST_CASE("an empty input is a stream that has ended") {
    const unique_ring name;
    producer_program producer{{name}};
    CHECK(producer.wait() == 0);
    consumer_program consumer{{name}};
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == "");
}
