#include "common/frame_writer.hpp"

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "common/shutdown.hpp"
#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;
using list = std::vector<std::string>;

namespace {

std::string written(std::string_view how, const list& messages, std::size_t buffer = 64) {
    const auto file = file_with("");
    frame_writer writer{file.get(), parse_framing(how), "'out'", buffer};
    for (const auto& message : messages) {
        CHECK(writer.write(bytes(message)) == write_status::ok);
        CHECK(writer.pending() + content_of(file.get()).size() >= message.size());
    }
    CHECK(writer.flush() == write_status::ok);
    CHECK(writer.pending() == 0);
    CHECK(writer.written() == content_of(file.get()).size());
    return content_of(file.get());
}

}  // namespace

TEST_CASE("messages are written in their framing") {
    CHECK(written("lines", {"a", "", "bc"}) == "a\n\nbc\n");
    CHECK(written("nul", {"a", "", "bc"}) == "a\0\0bc\0"s);
    CHECK(written("length", {"a", "", "bc"}) == "\1\0\0\0a\0\0\0\0\2\0\0\0bc"s);
    CHECK(written("fixed:2", {"ab", "cd"}) == "abcd");
    CHECK(written("chunks:2", {"a", "", "bcdef"}) == "abcdef");
    CHECK(written("lines", {}).empty());
}

TEST_CASE("what is written is read back, whatever the sizes are to the buffer") {
    list messages;
    for (std::size_t size = 0; size < 140; ++size) {
        messages.push_back(std::string(size, static_cast<char>('A' + size % 50)));
    }
    messages.push_back(std::string(300'000, 'x'));
    messages.push_back("");
    for (const std::string how : {"lines", "nul", "length"}) {
        for (const std::size_t buffer : {64u, 65u, 70u, 100u, 4096u, 262144u}) {
            CAPTURE(how);
            CAPTURE(buffer);
            const auto file = file_with(written(how, messages, buffer));
            frame_reader reader{file.get(), parse_framing(how), {}};
            CHECK(all_of(reader) == messages);
        }
    }
}

TEST_CASE("nothing of a small message is in the output before a flush") {
    const auto file = file_with("");
    frame_writer writer{file.get(), parse_framing("lines")};
    CHECK(writer.write(bytes("abc")) == write_status::ok);
    CHECK(writer.pending() == 4);
    CHECK(writer.written() == 0);
    CHECK(content_of(file.get()).empty());
    CHECK(writer.flush() == write_status::ok);
    CHECK(writer.pending() == 0);
    CHECK(content_of(file.get()) == "abc\n");
}

TEST_CASE("a message larger than the buffer comes behind what was pending") {
    const auto file = file_with("");
    frame_writer writer{file.get(), parse_framing("lines"), "'out'", 64};
    CHECK(writer.write(bytes("abc")) == write_status::ok);
    const std::string large(1000, 'x');
    CHECK(writer.write(bytes(large)) == write_status::ok);
    CHECK(writer.pending() == 0);
    CHECK(content_of(file.get()) == "abc\n" + large + "\n");
}

TEST_CASE("a message of another size than the fixed one is refused") {
    const auto file = file_with("");
    frame_writer writer{file.get(), parse_framing("fixed:3"), "'out'"};
    CHECK_FAILS(errc::malformed_input, "of 2 bytes to 'out'", (void)writer.write(bytes("ab")));
    CHECK_FAILS(errc::malformed_input, "fixed:3", (void)writer.write(bytes("abcd")));
    CHECK_FAILS(errc::malformed_input, "of 0 bytes", (void)writer.write({}));
    CHECK(writer.write(bytes("abc")) == write_status::ok);
    CHECK(writer.pending() == 3);
}

TEST_CASE("an output that nobody reads is closed, not an error, and remains closed") {
    ignore_broken_pipe();
    auto pipe = make_pipe();
    frame_writer writer{pipe.in.get(), parse_framing("lines"), "'out'", 64};
    CHECK(writer.write(bytes("abc")) == write_status::ok);
    pipe.out.reset();
    CHECK(writer.flush() == write_status::closed);
    CHECK(writer.pending() == 4);
    CHECK(writer.written() == 0);
    CHECK(writer.write(bytes("abc")) == write_status::closed);
    CHECK(writer.write(bytes(std::string(1000, 'x'))) == write_status::closed);
    CHECK(writer.flush() == write_status::closed);
    CHECK(writer.pending() == 4);

    auto other = make_pipe();
    frame_writer large{other.in.get(), parse_framing("length"), "'out'", 64};
    other.out.reset();
    CHECK(large.write(bytes(std::string(1000, 'x'))) == write_status::closed);
}

TEST_CASE("pending() knows what of the buffer got out before the output was closed") {
    ignore_broken_pipe();
    auto pipe = make_pipe();
    ::fcntl(pipe.in.get(), F_SETPIPE_SZ, 4096);
    frame_writer writer{pipe.in.get(), parse_framing("chunks:1"), "'out'", 16384};
    CHECK(writer.write(bytes(std::string(10'000, 'x'))) == write_status::ok);
    // Only as much as the pipe holds gets out before its reader goes.
    std::thread reader{[&] {
        CHECK(pipe.comes_to_hold(4096));
        pipe.out.reset();
    }};
    CHECK(writer.flush() == write_status::closed);
    reader.join();
    CHECK(writer.written() == 4096);
    CHECK(writer.pending() == 10'000 - 4096);
}

TEST_CASE("partial writes, signals and a non-blocking output lose and repeat nothing") {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
    for (const bool blocking : {true, false}) {
        CAPTURE(blocking);
        auto pipe = make_pipe();
        ::fcntl(pipe.in.get(), F_SETPIPE_SZ, 4096);
        if (!blocking) { ::fcntl(pipe.in.get(), F_SETFL, O_NONBLOCK); }
        list messages;
        for (std::size_t i = 0; i < 60; ++i) {
            messages.push_back(std::string(i * 331 % 9000, static_cast<char>('A' + i % 50)));
        }
        const auto self = ::pthread_self();
        list result;
        std::thread drain{[&, out = std::move(pipe.out)] {
            frame_reader reader{out.get(), parse_framing("length"), {.buffer = 700}};
            while (const auto message = reader.next()) {
                result.push_back(text(*message));
                ::pthread_kill(self, SIGUSR1);
                // Slow, so that the signal often comes while the other one waits for room. No
                // check depends on it.
                std::this_thread::sleep_for(std::chrono::microseconds{200});
            }
        }};
        frame_writer writer{pipe.in.get(), parse_framing("length"), "'out'", 5000};
        for (const auto& message : messages) {
            CHECK(writer.write(bytes(message)) == write_status::ok);
        }
        CHECK(writer.flush() == write_status::ok);
        pipe.in.reset();
        drain.join();
        CHECK(result == messages);
    }
    ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("a full device is named with what to do") {
    const unique_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    REQUIRE(full);
    frame_writer writer{full.get(), parse_framing("lines"), "'/dev/full'"};
    CHECK(writer.write(bytes("abc")) == write_status::ok);
    CHECK_FAILS(errc::io, "'/dev/full' behind byte 0: No space left", (void)writer.flush());
    CHECK_FAILS(errc::io, "make room", (void)writer.flush());
    CHECK(writer.pending() == 4);
}

TEST_CASE("a failed write names the output") {
    frame_writer writer{-1, parse_framing("lines"), "'out'"};
    CHECK(writer.flush() == write_status::ok);  // nothing to write
    CHECK(writer.write(bytes("a")) == write_status::ok);
    CHECK_FAILS(errc::io, "'out' behind byte 0: Bad file", (void)writer.flush());
}
