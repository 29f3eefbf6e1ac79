// What the tests of common/ share: bytes, files in memory, pipes, caught errors.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/frame_reader.hpp"
#include "common/unique_fd.hpp"
#include "tests/support/ring_fixture.hpp"

namespace ringpipe::common_test {

using namespace std::string_literals;
using namespace std::string_view_literals;

inline std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span{text});
}

inline std::string text(std::span<const std::byte> data) {
    std::string result;
    for (const auto b : data) { result += static_cast<char>(b); }
    return result;
}

inline bool contains(std::string_view line, std::string_view part) {
    return line.find(part) != std::string_view::npos;
}

// The error that `action` throws, which must be one line.
template <class Action>
std::optional<error> error_of(Action&& action) {
    try {
        action();
    } catch (const error& e) {
        CHECK_FALSE(contains(e.what(), "\n"));
        return e;
    }
    return std::nullopt;
}

#define CHECK_FAILS(code, part, ...)                                                  \
    do {                                                                              \
        const auto failure = ::ringpipe::common_test::error_of([&] { __VA_ARGS__; }); \
        REQUIRE(failure);                                                             \
        INFO(failure->what());                                                        \
        CHECK(failure->which() == (code));                                            \
        CHECK(::ringpipe::common_test::contains(failure->what(), part));              \
    } while (false)

inline unique_fd file_with(std::string_view content) {
    unique_fd file{::memfd_create("test", MFD_CLOEXEC)};
    REQUIRE(file);
    REQUIRE(::write(file.get(), content.data(), content.size()) ==
            static_cast<ssize_t>(content.size()));
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    return file;
}

inline std::string content_of(int file) {
    std::string result;
    std::array<char, 4096> part{};
    off_t at = 0;
    for (ssize_t count = 0; (count = ::pread(file, part.data(), part.size(), at)) > 0;) {
        result.append(part.data(), static_cast<std::size_t>(count));
        at += count;
    }
    return result;
}

struct pipe_ends {
    unique_fd out;  // to read from
    unique_fd in;   // to write to

    void put(std::string_view text) const {
        REQUIRE(::write(in.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    // Waits until so many bytes are in it.
    [[nodiscard]] bool comes_to_hold(int count) const {
        return test::eventually([&] {
            int held = 0;
            return ::ioctl(out.get(), FIONREAD, &held) == 0 && held == count;
        });
    }
};

inline pipe_ends make_pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

inline std::vector<std::string> all_of(frame_reader& reader) {
    std::vector<std::string> result;
    while (const auto message = reader.next()) { result.push_back(text(*message)); }
    return result;
}

// Runs `body` in a child process, which must end itself, and returns its wait status.
template <class Body>
int status_of_child(Body&& body) {
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        body();
        ::_exit(99);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

}  // namespace ringpipe::common_test
