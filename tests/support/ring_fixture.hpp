// What the tests of shm share: a ring that is gone afterwards, and words for bytes and errors.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe {

// doctest finds these by their argument.
inline std::ostream& operator<<(std::ostream& out, errc code) {
    return out << make_error_code(code).message();
}
std::ostream& operator<<(std::ostream& out, receive_status status);

}  // namespace ringpipe

namespace ringpipe::test {

using namespace std::chrono_literals;

// How long a test waits for what must happen. Never met when all is well, also under a sanitizer.
inline constexpr auto patience = std::chrono::seconds{20};

// "At once", "soon": only that it was not waited out. Generous, since the machine may be busy.
inline constexpr auto soon = patience / 2;

// How long a test watches that something does not happen.
inline constexpr auto a_moment = std::chrono::milliseconds{30};

// A name no other test has. Its file is removed before and after, also when the test fails.
class unique_name {
  public:
    unique_name();
    // As a path in `folder`.
    explicit unique_name(const std::string& folder);
    unique_name(const unique_name&) = delete;
    unique_name& operator=(const unique_name&) = delete;
    ~unique_name();

    [[nodiscard]] const std::string& str() const { return name_; }
    operator std::string_view() const { return name_; }  // NOLINT: a name is a string
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] bool exists() const;

  private:
    std::string name_;
    std::string path_;
};

// Short waits for the dead, and the smallest of buffers.
[[nodiscard]] ring_options small(std::uint64_t capacity = 4096);

// A ring of its own for each test.
struct a_ring {
    explicit a_ring(const ring_options& options = small())
        : ring{ringpipe::ring::create(name, options)} {}

    unique_name name;
    ringpipe::ring ring;
};

[[nodiscard]] inline std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span{text});
}

// `size` bytes that depend on `seed` and on their place, so that a shifted or mixed copy shows.
[[nodiscard]] std::string pattern(std::size_t size, std::uint64_t seed = 0);

// Sends that must have room.
void send_all(producer& out, const std::vector<std::string>& texts);

// Sends copies of `filling` until there is no room. Returns how many.
std::size_t fill(producer& out, std::string_view filling);

struct delivery {
    std::string text;
    std::uint32_t attempt = 0;
    std::uint64_t sequence = 0;

    bool operator==(const delivery&) const = default;
};
std::ostream& operator<<(std::ostream& out, const delivery& d);

// Receives (to the deadline, each) and acknowledges `count` messages; fewer if no more come.
std::vector<delivery> take(consumer& in, std::size_t count);

// Only their texts.
std::vector<std::string> texts_of(const std::vector<delivery>& deliveries);
inline std::vector<std::string> take_texts(consumer& in, std::size_t count) {
    return texts_of(take(in, count));
}

// The last state of the stream, when no message is left: end, truncated, or timed_out.
[[nodiscard]] receive_status status_after_last(consumer& in);

// Which error `action` throws; nothing if none. Checks that its message is one line.
[[nodiscard]] std::optional<errc> error_of(const std::function<void()>& action);

// Polls until `condition` or the test's patience is over.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

// How long something took.
class stopwatch {
  public:
    [[nodiscard]] std::chrono::nanoseconds elapsed() const { return clock::now() - start_; }

  private:
    clock::time_point start_ = clock::now();
};

}  // namespace ringpipe::test

namespace doctest {

template <>
struct StringMaker<std::optional<ringpipe::errc>> {
    static String convert(const std::optional<ringpipe::errc>& code) {
        return code ? make_error_code(*code).message().c_str() : "no error";
    }
};

template <class T>
struct StringMaker<std::vector<T>> {
    static String convert(const std::vector<T>& all) {
        String out = "[";
        for (const auto& each : all) { out += toString(each) + ", "; }
        return out + "]";
    }
};

}  // namespace doctest
