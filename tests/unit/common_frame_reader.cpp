#include "common/frame_reader.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/support/processes.hpp"
#include "tests/unit/common_support.hpp"

using namespace ringpipe;
using namespace ringpipe::common_test;
using list = std::vector<std::string>;

namespace {

frame_reader reader_of(int fd, std::string_view how, std::size_t max_message = 1u << 20,
                       std::size_t buffer = 256) {
    return {fd,
            parse_framing(how),
            {.name = "'in'", .max_message = max_message, .buffer = buffer, .stop_requested = {}}};
}

list messages(std::string_view how, std::string_view content, std::size_t buffer = 256) {
    const auto file = file_with(content);
    auto reader = reader_of(file.get(), how, 1u << 20, buffer);
    return all_of(reader);
}

std::string with_length(std::string_view body, std::size_t size) {
    std::string result;
    for (unsigned i = 0; i < 4; ++i) { result += static_cast<char>(size >> (8 * i) & 0xff); }
    result += body;
    return result;
}

std::string with_length(std::string_view body) { return with_length(body, body.size()); }

}  // namespace

TEST_CASE("lines come without their line ends") {
    CHECK(messages("lines", "") == list{});
    CHECK(messages("lines", "a\nbc\n") == list{"a", "bc"});
    CHECK(messages("lines", "\n") == list{""});
    CHECK(messages("lines", "\n\na\n\n") == list{"", "", "a", ""});
    CHECK(messages("lines", "a\r\nb\0c\n"sv) == list{"a\r", "b\0c"s});
}

TEST_CASE("a last line without its end is a message and says so") {
    const auto file = file_with("a\nbc");
    auto reader = reader_of(file.get(), "lines");
    CHECK(text(reader.next().value()) == "a");
    CHECK_FALSE(reader.last_was_unterminated());
    CHECK(text(reader.next().value()) == "bc");
    CHECK(reader.last_was_unterminated());
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.next());
    CHECK(reader.offset() == 4);
}

TEST_CASE("messages end with NUL if asked to") {
    CHECK(messages("nul", "a\nb\0\0c"sv) == list{"a\nb", "", "c"});
}

TEST_CASE("messages of all sizes come whole over every border of a small buffer") {
    // Every size from 0 to beyond the buffer, at every alignment that results.
    list expected;
    for (std::size_t size = 0; size < 70; ++size) {
        expected.push_back(std::string(size, static_cast<char>('A' + size % 50)));
    }
    std::string lines;
    std::string lengths;
    for (const auto& message : expected) {
        lines += message + "\n";
        lengths += with_length(message);
    }
    for (const std::size_t buffer : {16u, 17u, 31u, 64u, 65u, 71u, 4096u}) {
        CAPTURE(buffer);
        CHECK(messages("lines", lines, buffer) == expected);
        CHECK(messages("length", lengths, buffer) == expected);
        std::string nuls = lines;
        std::replace(nuls.begin(), nuls.end(), '\n', '\0');
        CHECK(messages("nul", nuls, buffer) == expected);
    }
}

TEST_CASE("a line whose end is the last byte or the first behind the buffer is whole") {
    for (std::size_t size = 250; size < 260; ++size) {
        CAPTURE(size);
        const std::string line(size, 'x');
        CHECK(messages("lines", line + "\ny\n") == list{line, "y"});
        CHECK(messages("lines", line) == list{line});
    }
}

TEST_CASE("the buffer grows for a message far larger than it") {
    const std::string huge((1u << 20), 'h');
    CHECK(messages("lines", "a\n" + huge + "\nb\n") == list{"a", huge, "b"});
    CHECK(messages("length", with_length("a") + with_length(huge) + with_length("b")) ==
          list{"a", huge, "b"});
    CHECK(messages("fixed:1M", huge + huge) == list{huge, huge});
}

TEST_CASE("a message of the limit passes and one byte more is refused with place and limit") {
    const std::string line(100, 'x');
    for (const std::size_t buffer : {16u, 100u, 101u, 4096u}) {
        for (const std::string rest : {"\n", "", "\nz\n"}) {
            CAPTURE(buffer);
            CAPTURE(rest);
            const auto good = file_with("a\n" + line + rest);
            auto reads = reader_of(good.get(), "lines", 100, buffer);
            CHECK(all_of(reads).at(1) == line);

            const auto bad = file_with("a\n" + line + "x" + rest);
            auto refuses = reader_of(bad.get(), "lines", 100, buffer);
            CHECK(text(refuses.next().value()) == "a");
            CHECK_FAILS(errc::message_too_large, "'in'", (void)refuses.next());
            CHECK_FAILS(errc::message_too_large, "at byte 2", (void)refuses.next());
            CHECK_FAILS(errc::message_too_large, "limit is 100", (void)refuses.next());
            CHECK_FAILS(errc::message_too_large, "--capacity", (void)refuses.next());
        }
    }
}

TEST_CASE("a size before a message that is beyond the limit is refused before its bytes come") {
    const auto pipe = make_pipe();
    pipe.put(with_length(std::string(100, 'x')) + with_length("", 0xffffffff));
    auto reader = reader_of(pipe.out.get(), "length", 100);
    CHECK(reader.next()->size() == 100);
    CHECK_FAILS(errc::message_too_large, "4294967295 bytes", (void)reader.next());
    CHECK_FAILS(errc::message_too_large, "at byte 104", (void)reader.next());
}

TEST_CASE("a framing whose size is beyond the limit is refused at once") {
    CHECK_FAILS(errc::message_too_large, "limit is 99", (void)reader_of(0, "fixed:100", 99));
    CHECK_FAILS(errc::message_too_large, "limit is 99", (void)reader_of(0, "chunks:100", 99));
    CHECK_FAILS(errc::invalid_argument, "at least 1",
                frame_reader(0, framing{framing::kind::fixed, 0}, {}));
}

TEST_CASE("messages with their size may have no bytes") {
    CHECK(messages("length", with_length("") + with_length("a") + with_length("")) ==
          list{"", "a", ""});
}

TEST_CASE("input that ends within a size or within a message is malformed") {
    for (const std::size_t cut : {1u, 2u, 3u}) {
        const auto file = file_with(with_length("abc") + with_length("abc").substr(0, cut));
        auto reader = reader_of(file.get(), "length");
        CHECK(reader.next());
        CHECK_FAILS(errc::malformed_input, "of the 4 bytes of the size", (void)reader.next());
        CHECK_FAILS(errc::malformed_input, "at byte 7", (void)reader.next());
    }
    for (const std::size_t cut : {4u, 5u, 6u}) {
        const auto file = file_with(with_length("abc").substr(0, cut));
        auto reader = reader_of(file.get(), "length");
        CHECK_FAILS(errc::malformed_input, "of the 7 bytes of the message", (void)reader.next());
        CHECK_FAILS(errc::malformed_input, "at byte 0", (void)reader.next());
    }
}

TEST_CASE("messages of a fixed size leave no remainder") {
    CHECK(messages("fixed:3", "") == list{});
    CHECK(messages("fixed:3", "abcdef") == list{"abc", "def"});
    const auto file = file_with("abcde");
    auto reader = reader_of(file.get(), "fixed:3");
    CHECK(text(reader.next().value()) == "abc");
    CHECK_FAILS(errc::malformed_input, "after 2 of the 3 bytes", (void)reader.next());
    CHECK_FAILS(errc::malformed_input, "at byte 3", (void)reader.next());
}

TEST_CASE("chunks are full but for the last") {
    CHECK(messages("chunks:3", "") == list{});
    CHECK(messages("chunks:3", "abcdef") == list{"abc", "def"});
    CHECK(messages("chunks:3", "abcde") == list{"abc", "de"});
    CHECK(messages("chunks:1000", std::string(1500, 'x')) ==
          list{std::string(1000, 'x'), std::string(500, 'x')});

    const auto pipe = make_pipe();
    auto reader = reader_of(pipe.out.get(), "chunks:4");
    std::thread writer{[&] {
        for (const auto* part : {"a", "bc", "de"}) {
            pipe.put(part);
            CHECK(pipe.comes_to_hold(0));  // each is a read of its own
        }
    }};
    CHECK(text(reader.next().value()) == "abcd");
    writer.join();
}

TEST_CASE("a line that comes byte by byte is one message") {
    auto pipe = make_pipe();
    std::thread writer{[&] {
        for (const char c : "ab\n\ncd"sv) {
            pipe.put({&c, 1});
            CHECK(pipe.comes_to_hold(0));
        }
        pipe.in.reset();
    }};
    auto reader = reader_of(pipe.out.get(), "lines");
    CHECK(all_of(reader) == list{"ab", "", "cd"});
    writer.join();
}

TEST_CASE("a reader knows whether its next message needs a read") {
    auto pipe = make_pipe();
    auto lines = reader_of(pipe.out.get(), "lines");
    CHECK_FALSE(lines.buffered());
    pipe.put("a\n\nb");
    CHECK(lines.next());
    CHECK(lines.buffered());
    CHECK(lines.next()->empty());
    CHECK_FALSE(lines.buffered());  // "b" may go on
    pipe.put("c\nd");
    CHECK(text(lines.next().value()) == "bc");
    CHECK_FALSE(lines.buffered());
    pipe.in.reset();
    CHECK(text(lines.next().value()) == "d");
    CHECK_FALSE(lines.buffered());
    CHECK_FALSE(lines.next());
    CHECK_FALSE(lines.buffered());
}

TEST_CASE("a reader of sized messages knows whether its next message needs a read") {
    const auto pipe = make_pipe();
    auto lengths = reader_of(pipe.out.get(), "length");
    pipe.put(with_length("a") + with_length("bcd").substr(0, 6));
    CHECK(lengths.next());
    CHECK_FALSE(lengths.buffered());
    pipe.put("d" + with_length(""));
    CHECK(text(lengths.next().value()) == "bcd");
    CHECK(lengths.buffered());
    CHECK(lengths.next()->empty());
    CHECK_FALSE(lengths.buffered());

    auto fixed = reader_of(pipe.out.get(), "fixed:2");
    pipe.put("aabbc");
    CHECK(fixed.next());
    CHECK(fixed.buffered());
    CHECK(fixed.next());
    CHECK_FALSE(fixed.buffered());
}

TEST_CASE("bytes are read straight into a caller's buffer, those already read first") {
    const auto file = file_with(std::string(100, 'a') + std::string(900, 'b') + "c");
    auto reader = reader_of(file.get(), "chunks:100");
    CHECK(text(reader.next().value()) == std::string(100, 'a'));
    std::array<std::byte, 600> into{};
    CHECK(reader.read_into(into) == 600);
    CHECK(text(into) == std::string(600, 'b'));
    CHECK(reader.offset() == 700);
    CHECK(reader.read_into(into) == 301);
    CHECK(text(std::span{into}.first(301)) == std::string(300, 'b') + "c");
    CHECK(reader.offset() == 1001);
    CHECK(reader.read_into(into) == 0);
    CHECK_FALSE(reader.next());
}

TEST_CASE("reading and reading into a buffer take turns without loss") {
    std::string content;
    for (int i = 0; i < 3000; ++i) { content += static_cast<char>('a' + i % 23); }
    const auto file = file_with(content);
    auto reader = reader_of(file.get(), "chunks:7", 1u << 20, 64);
    std::string result;
    std::array<std::byte, 50> into{};
    for (std::size_t size = 1;; size = size % into.size() + 1) {
        if (const auto message = reader.next()) { result += text(*message); }
        CHECK(reader.offset() == result.size());
        const auto count = reader.read_into(std::span{into}.first(size));
        if (count == 0) { break; }
        result += text(std::span{into}.first(count));
    }
    CHECK(result == content);
}

TEST_CASE("an incomplete message of a fixed size is malformed in a caller's buffer, too") {
    const auto file = file_with("abcde");
    auto reader = reader_of(file.get(), "fixed:3");
    std::array<std::byte, 3> into{};
    CHECK(reader.read_into(into) == 3);
    CHECK_FAILS(errc::malformed_input, "at byte 3", (void)reader.read_into(into));
}

TEST_CASE("a signal without a stop does not end the input, and one with a stop does") {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);

    auto pipe = make_pipe();
    std::atomic<bool> stop = false;
    std::atomic<int> asked = 0;
    frame_reader reader{pipe.out.get(), parse_framing("lines"), {.stop_requested = [&] {
                            ++asked;
                            return stop.load();
                        }}};
    pipe.put("a\nb");
    CHECK(text(reader.next().value()) == "a");

    const auto self = ::pthread_self();
    std::atomic<bool> done = false;
    std::thread signaller{[&] {
        const auto signal_until = [&](auto condition) {
            CHECK(test::eventually([&] {
                ::pthread_kill(self, SIGUSR1);
                return condition();
            }));
        };
        signal_until([&] { return asked.load() >= 5; });
        pipe.put("c\nde");
        signal_until([&] { return asked.load() >= 10; });
        stop = true;
        signal_until([&] { return done.load(); });
    }};
    CHECK(text(reader.next().value()) == "bc");
    CHECK_FALSE(reader.stopped());
    CHECK_FALSE(reader.next());
    CHECK(reader.stopped());
    done = true;
    signaller.join();

    stop = false;  // nothing was lost
    pipe.put("f\n");
    CHECK(text(reader.next().value()) == "def");
    CHECK_FALSE(reader.stopped());
    ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("a stop hands out what has come of a chunk and drops what has come of a fixed message") {
    const auto stop_after_one = [asked = 0]() mutable { return ++asked > 1; };
    const auto pipe = make_pipe();
    pipe.put("abc");
    frame_reader chunks{
        pipe.out.get(), parse_framing("chunks:10"), {.stop_requested = stop_after_one}};
    CHECK(text(chunks.next().value()) == "abc");
    CHECK_FALSE(chunks.next());

    pipe.put("abc");
    frame_reader fixed{
        pipe.out.get(), parse_framing("fixed:10"), {.stop_requested = stop_after_one}};
    CHECK_FALSE(fixed.next());
    CHECK(fixed.stopped());

    pipe.put("abc");
    frame_reader into{
        pipe.out.get(), parse_framing("fixed:10"), {.stop_requested = stop_after_one}};
    std::array<std::byte, 10> buffer{};
    CHECK(into.read_into(buffer) == 0);
    CHECK(into.stopped());
}

TEST_CASE("a non-blocking input is waited for") {
    auto pipe = make_pipe();
    REQUIRE(::fcntl(pipe.out.get(), F_SETFL, O_NONBLOCK) == 0);
    std::thread writer{[&pipe, reader = ::gettid()] {
        CHECK(test::falls_asleep(reader));
        pipe.put("a\n");
        pipe.in.reset();
    }};
    auto reader = reader_of(pipe.out.get(), "lines");
    CHECK(all_of(reader) == list{"a"});
    writer.join();
}

TEST_CASE("a failed read names the input and the place") {
    auto reader = reader_of(-1, "lines");
    CHECK_FAILS(errc::io, "'in' behind byte 0: Bad file descriptor", (void)reader.next());
    const unique_fd directory{::open("/", O_RDONLY | O_CLOEXEC)};
    auto other = reader_of(directory.get(), "lines");
    CHECK_FAILS(errc::io, "Is a directory", (void)other.next());
}
