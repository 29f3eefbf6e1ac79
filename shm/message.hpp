// A received message: a view of bytes that lie in the ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringpipe {

enum class receive_status {
    message,    // here it is
    timed_out,  // nothing came until the deadline (or at once, for try_receive)
    end,        // every producer has left cleanly, and all is acknowledged
    truncated,  // as `end`, but a producer died or gave up in the middle
};

// The payload stays valid until the message, or a later one, is acknowledged, or the
// consumer goes away. Cheap to copy.
class message {
  public:
    message() = default;
    explicit message(receive_status status) : status_{status} {}
    // True if there is a message.
    explicit operator bool() const { return status_ == receive_status::message; }
    [[nodiscard]] receive_status status() const { return status_; }

    [[nodiscard]] std::span<const std::byte> payload() const { return {data_, size_}; }
    [[nodiscard]] std::string_view text() const {
        return {reinterpret_cast<const char*>(data_), size_};
    }

    // The place in the one order of all messages, from 0. Discarded ones have numbers too.
    [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

    // How often a consumer has begun it, this time included. Exact for the message that a dead
    // consumer was at; 2 for those behind it in its lease, which it may have begun.
    [[nodiscard]] std::uint32_t attempt() const { return attempt_; }

    // Another consumer has had it in its lease and may have worked on it. False: it surely has not
    // been delivered before.
    [[nodiscard]] bool redelivered() const { return redelivered_; }

    // The member that sent it: stable for one attached producer.
    [[nodiscard]] std::uint32_t producer() const { return producer_; }

    // Where it begins and ends in the stream, in bytes.
    [[nodiscard]] std::uint64_t position() const { return position_; }
    [[nodiscard]] std::uint64_t end() const { return end_; }

  private:
    // Fills it in where the caller will have it: a copy of such a struct, right behind its making,
    // stalls on each of its halves.
    friend class consumer;

    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::uint64_t sequence_ = 0;
    std::uint64_t position_ = 0;
    std::uint64_t end_ = 0;
    std::uint32_t attempt_ = 0;
    std::uint32_t producer_ = 0;
    receive_status status_ = receive_status::timed_out;
    bool redelivered_ = false;
};

}  // namespace ringpipe
