// --resume: a producer that is killed anywhere and started again sends the rest, and nothing twice.
#include <doctest/doctest.h>
#include <signal.h>

#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

std::string with_length(const std::string& message) {
    std::string framed;
    for (unsigned i = 0; i < 4; ++i) { framed += static_cast<char>(message.size() >> (8 * i)); }
    return framed + message;
}

// Messages of 0 to 200 bytes, each framed by `frame`.
template <class Frame>
std::string many(std::size_t count, Frame frame) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
        all += frame(std::string((i * 37) % 201, static_cast<char>('a' + i % 26)));
    }
    return all;
}

// Some point of the producer's life: before it has sent anything, in the middle, when it is done.
struct moment {
    std::optional<std::uint64_t> messages = {};  // the ring has had so many,
    std::chrono::microseconds time{};            // or so long after its start
    int signal = SIGKILL;
};

moment some_moment(std::mt19937& random, std::uint64_t sent) {
    moment when;
    if (random() % 2 == 0) {
        when.messages = sent + random() % 2000;
    } else {
        when.time = std::chrono::microseconds{random() % 6000};
    }
    if (random() % 4 == 0) { when.signal = SIGTERM; }
    return when;
}

// Its exit code; 137 or 143 if it was not done by then.
int run_until(producer_program& sut, const ring& to, const moment& when) {
    if (when.messages) {
        int code = program::never_ended;
        CHECK(eventually([&] {
            code = sut.wait(std::chrono::milliseconds{0});
            return code != program::never_ended || to.status().messages >= *when.messages;
        }));
        if (code != program::never_ended) { return code; }
    } else {
        std::this_thread::sleep_for(when.time);
    }
    sut.signal(when.signal);
    return sut.wait();
}

}  // namespace

TEST_CASE("a producer killed at any point and started again: every byte arrives, and once") {
    const auto as_line = [](const std::string& text) { return text + '\n'; };
    const auto as_nul = [](const std::string& text) { return text + '\0'; };
    const std::vector<std::pair<std::string, std::string>> cases{
        {"lines", many(8000, as_line)},      {"nul", many(8000, as_nul)},
        {"length", many(8000, with_length)}, {"fixed:7", pattern(std::size_t{7} * 60'000)},
        {"chunks:100", pattern(800'001)},    {"chunks:20KiB", pattern(2'000'003)},
    };
    const auto seed = std::random_device{}();
    std::mt19937 random{seed};
    CAPTURE(seed);
    int deaths = 0;
    for (const auto& each : cases) {
        const auto& framing = each.first;  // clang 14 captures no structured bindings
        const auto& content = each.second;
        CAPTURE(framing);
        const unique_ring name;
        const unique_file first{content};
        const unique_file empty;
        const unique_file last{content};
        const unique_file out;
        const auto ring = ringpipe::ring::create(name.str(), small(64 << 10));
        producer holds_it_open{ring};
        consumer_program consumer{{name, "--framing", framing, "--to", out.path()}};
        int code = program::never_ended;
        for (int starts = 0; code != 0; ++starts) {
            producer_program sut{{name, first.path(), empty.path(), last.path(), "--framing",
                                  framing, "--resume", "me", "--rate", "16MiB"}};
            // In the end, it may come through.
            code = starts < 12 ? run_until(sut, ring, some_moment(random, ring.status().messages))
                               : sut.wait();
            CAPTURE(sut.err());
            const bool expected = code == 0 || code == 128 + SIGKILL || code == 128 + SIGTERM;
            REQUIRE(expected);
            deaths += code == 0 ? 0 : 1;
        }
        holds_it_open.close();
        CHECK(consumer.wait() == 0);
        CHECK((out.content() == content + content));
    }
    CHECK(deaths > 0);
}

TEST_CASE("a pipe is read and dropped up to what was sent before") {
    const unique_ring name;
    const unique_file content{numbers(1, 300'000)};
    const auto ring = ringpipe::ring::create(name.str(), small(64 << 10));
    producer holds_it_open{ring};
    consumer_program consumer{{name}};
    // The rate only lets us be in time.
    for (const std::uint64_t until : {100'000U, 200'000U, 0U}) {
        pipe_ends pipe;
        program cat{"/bin/cat", {content.path()}, {.out = pipe.write.get()}};
        producer_program sut{{name, "--resume", "me", "--rate", "1M"}, {.in = pipe.read.get()}};
        pipe.write.reset();
        pipe.read.reset();
        if (until == 0) {
            CHECK(sut.wait() == 0);
        } else {
            REQUIRE(run_until(sut, ring, {.messages = until}) == 128 + SIGKILL);
        }
    }
    holds_it_open.close();
    CHECK(consumer.wait() == 0);
    CHECK((consumer.out() == numbers(1, 300'000)));
}

TEST_CASE("a last line without its end is resumed behind it") {
    const unique_ring name;
    const unique_file first{"a\nb"};
    const unique_file second{"c\n\n\nd"};
    for (int i = 0; i < 7; ++i) {
        producer_program sut{{name, first.path(), second.path(), "--resume", "me", "--count", "1"}};
        CHECK(sut.wait() == 0);
    }
    consumer_program consumer{{name}};
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == "a\nb\nc\n\n\nd\n");
}

TEST_CASE("a producer killed while it waits for room goes on where it was") {
    const unique_ring name;
    const unique_file content{numbers(1, 5000)};
    const auto ring = ringpipe::ring::create(name.str(), small());
    producer_program first{{name, content.path(), "--resume", "me"}};
    REQUIRE(run_until(first, ring, {.messages = 50}) == 128 + SIGKILL);
    producer_program again{{name, content.path(), "--resume", "me"}};
    REQUIRE(eventually([&] { return ring.status().producers == 1; }));
    consumer_program consumer{{name}};
    CHECK(again.wait() == 0);
    CHECK(consumer.wait() == 0);
    CHECK((consumer.out() == numbers(1, 5000)));
}

TEST_CASE("the stream is truncated until its producer is started again") {
    const unique_ring name;
    const unique_file content{numbers(1, 1000)};
    const auto ring = ringpipe::ring::create(name.str(), small());
    producer_program first{{name, content.path(), "--resume", "me"}};
    REQUIRE(run_until(first, ring, {.messages = 50}) == 128 + SIGKILL);
    consumer_program early{{name}};
    CHECK(early.wait() == 3);
    CHECK(ring.status().truncated);

    producer_program again{{name, content.path(), "--resume", "me"}};
    REQUIRE(eventually([&] { return ring.status().producers == 1; }));
    consumer_program late{{name}};
    CHECK(again.wait() == 0);
    CHECK(late.wait() == 0);
    CHECK_FALSE(ring.status().truncated);
    CHECK((early.out() + late.out() == numbers(1, 1000)));
}

TEST_CASE("what was sent to its end is not sent again, other names have their own place") {
    const unique_ring name;
    const unique_file content{"a\nb\n"};
    for (const std::string who : {"me", "me", "you"}) {
        producer_program sut{{name, content.path(), "--resume", who}};
        CHECK(sut.wait() == 0);
    }
    consumer_program consumer{{name}};
    CHECK(consumer.wait() == 0);
    CHECK(consumer.out() == "a\nb\na\nb\n");
}

TEST_CASE("an input shorter than what was sent is refused, and the stream truncated") {
    const unique_ring name;
    const unique_file content{numbers(1, 100)};
    const unique_file other{numbers(1, 10)};
    producer_program first{{name, content.path(), "--resume", "me"}};
    CHECK(first.wait() == 0);
    producer_program sut{{name, other.path(), other.path(), "--resume", "me"}};
    CHECK(sut.wait() == 65);
    const auto err = sut.err();
    CAPTURE(err);
    CHECK(is_one_line(err, "ringpipe-producer: cannot resume 'me'"));
    CHECK(err.find("292 bytes") != std::string::npos);
    CHECK(err.find("only 42") != std::string::npos);
    consumer_program consumer{{name}};
    CHECK(consumer.wait() == 3);
    CHECK(consumer.out() == numbers(1, 100));
}

TEST_CASE("two producers cannot have one name at a time") {
    const unique_ring name;
    const auto ring = ringpipe::ring::create(name.str(), small());
    const pipe_ends typed;
    producer_program first{{name, "--resume", "me"}, {.in = typed.read.get()}};
    REQUIRE(eventually([&] { return ring.status().producers == 1; }));
    producer_program second{{name, "--resume", "me"}, {.input = "a\n"}};
    CHECK(second.wait() == 69);
    CHECK(is_one_line(second.err(), "ringpipe-producer: "));
}

TEST_CASE("resume needs a name that can be one, and an input that can be skipped") {
    const unique_ring name;
    for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
             {"--resume", ""}, {"--resume", "a/b"}, {"--resume", "me", "--generate", "5"}}) {
        auto arguments = options;
        arguments.insert(arguments.begin(), name);
        producer_program sut{arguments, {.input = "a\n"}};
        CHECK(sut.wait() == 64);
        CHECK(is_one_line(sut.err(), "ringpipe-producer: "));
    }
    CHECK_FALSE(name.exists());
}
