// What is sent and how it is checked: the same code for every peer, so that only the way differs.
//
// A message is 8-byte words: its number (the last one has a mark), and a fixed pattern. The sender
// copies all of it; the receiver adds all of it up, and so knows that no byte was lost, and that
// the numbers come in order, none missing and none twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/ticks.hpp"

namespace ringpipe::bench {

inline constexpr std::size_t block = 64;  // message sizes are multiples of it
inline constexpr std::uint64_t last_mark = std::uint64_t{1} << 63U;
inline constexpr unsigned origin_shift = 48;

using bytes = std::span<const std::byte>;

// Two words in one register, said so: of plain loops, GCC makes a detour through the stack that
// costs as much as receiving the message.
using two_words [[gnu::vector_size(16)]] = std::uint64_t;

inline two_words load_two(const std::byte* from) {
    two_words loaded;
    std::memcpy(&loaded, from, sizeof loaded);
    return loaded;
}

inline std::uint64_t sum_of_words(bytes data) {
    two_words a{};
    two_words b{};
    for (const auto* at = data.data(); at != data.data() + data.size() / block * block;
         at += block) {
        a += load_two(at) + load_two(at + 16);
        b += load_two(at + 32) + load_two(at + 48);
    }
    a += b;
    return a[0] + a[1];
}

// The messages to be sent, in order, ready to be copied from memory that is in the cache.
//
// A number is stamped half a table before its message is sent. Stamped just before, it would still
// be on its way to the cache when the copy reads it in wider words, and that stall would be the
// slowest part of sending 64 bytes.
class messages {
  public:
    // `origin` goes into the numbers, above their lowest 48 bits; `hold` consecutive messages can
    // be held at once, a power of two.
    explicit messages(std::size_t size, std::uint64_t origin = 0, std::size_t hold = 1)
        : size_{size},
          slots_{std::max(size < table_bytes ? table_bytes / size : 1, hold > 1 ? 2 * hold : 1)},
          origin_{origin << origin_shift},
          table_(size * slots_) {
        if (size == 0 || size % block != 0) {
            throw std::invalid_argument("a benchmark's message size is a multiple of 64");
        }
        std::uint64_t noise = 0x9e3779b97f4a7c15U;
        for (std::size_t at = 0; at < size_; at += 8) {
            noise = noise * 6364136223846793005U + 1442695040888963407U;
            for (std::size_t slot = 0; slot < slots_; ++slot) {
                std::memcpy(table_.data() + slot * size_ + at, &noise, 8);
            }
        }
        for (std::uint64_t number = 0; number < slots_ / 2; ++number) { stamp(number, number); }
    }

    // Call it with 0, 1, 2, ... Stays as it is for the next half table of calls.
    bytes operator()(std::uint64_t number, bool last = false) {
        const auto ahead = number + slots_ / 2;
        stamp(ahead, ahead);
        if (last) { stamp(number, number | last_mark); }
        return {table_.data() + (number & (slots_ - 1)) * size_, size_};
    }

    // What the words behind the number add up to.
    [[nodiscard]] std::uint64_t sum_of_pattern() const {
        std::uint64_t number = 0;
        std::memcpy(&number, table_.data(), 8);
        return sum_of_words({table_.data(), size_}) - number;
    }

  private:
    static constexpr std::size_t table_bytes = 8192;

    void stamp(std::uint64_t slot, std::uint64_t number) {
        number |= origin_;
        std::memcpy(table_.data() + (slot & (slots_ - 1)) * size_, &number, 8);
    }

    std::size_t size_;
    std::size_t slots_;  // a power of two
    std::uint64_t origin_;
    std::vector<std::byte> table_;
};

// Reads every byte of every message, and throws std::runtime_error at the first that is not as
// sent.
class message_checker {
  public:
    // The clock starts when `warm_up` messages have come.
    explicit message_checker(std::size_t size, std::uint64_t warm_up = 0)
        : size_{size}, sum_of_pattern_{messages{size}.sum_of_pattern()}, warm_up_{warm_up} {}

    void operator()(bytes message) {
        if (message.size() != size_) [[unlikely]] { fail("has another size", message.size()); }
        std::uint64_t number = 0;
        std::memcpy(&number, message.data(), 8);
        if (sum_of_words(message) != sum_of_pattern_ + number) [[unlikely]] {
            fail("is damaged", number);
        }
        if ((number & ~last_mark) != next_) [[unlikely]] { fail("is missing; got", number); }
        if (next_ == warm_up_) [[unlikely]] { started_ = ticks(); }
        ++next_;
        if (number >= last_mark) [[unlikely]] {
            ended_ = ticks();
            done_ = true;
        }
    }

    [[nodiscard]] bool done() const { return done_; }

    [[nodiscard]] std::size_t message_size() const { return size_; }
    [[nodiscard]] std::uint64_t verified() const { return next_; }

    [[nodiscard]] std::uint64_t counted() const {
        return next_ > warm_up_ ? next_ - warm_up_ - 1 : 0;
    }

    [[nodiscard]] double per_second() const {
        return static_cast<double>(counted()) * 1e9 / nanoseconds(ended_ - started_);
    }

  private:
    [[noreturn]] void fail(const char* what, std::uint64_t value) const {
        throw std::runtime_error("message " + std::to_string(next_) + ' ' + what + ": " +
                                 std::to_string(value & ~last_mark));
    }

    std::size_t size_;
    std::uint64_t sum_of_pattern_;
    std::uint64_t warm_up_;
    std::uint64_t next_ = 0;
    std::uint64_t started_ = 0;
    std::uint64_t ended_ = 0;
    bool done_ = false;
};

}  // namespace ringpipe::bench
