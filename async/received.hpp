// What an asynchronous receive gives: a message, or a batch, that knows how to acknowledge itself.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ringpipe/shm/message.hpp"

namespace ringpipe {

class consumer_state;

// Where a received message belongs. Thread-safe to settle: the coroutines of one consumer finish in
// any order, on any thread; the ring hears of the finished prefix.
class receipt {
  public:
    receipt() = default;
    receipt(std::shared_ptr<consumer_state> from, std::uint64_t ticket)
        : from_{std::move(from)}, ticket_{ticket} {}

    [[nodiscard]] bool open() const { return from_ != nullptr; }
    void done();
    void give_back(std::vector<message> messages);

  private:
    std::shared_ptr<consumer_state> from_;
    std::uint64_t ticket_ = 0;
};

// Move-only. The payload lies in the ring and is valid until the message is acknowledged or
// destroyed, or its consumer is closed. One that is destroyed without being acknowledged (an
// exception, a coroutine that was destroyed with its loop) is given back to its group, to be
// received again by whoever is free; that counts as an attempt.
class async_message {
  public:
    async_message() = default;
    async_message(const message& what, receipt where)
        : message_{what}, receipt_{std::move(where)} {}
    async_message(async_message&& other) noexcept
        : message_{std::exchange(other.message_, {})}, receipt_{std::move(other.receipt_)} {}
    async_message& operator=(async_message&& other) noexcept {
        if (this != &other) {
            give_back();
            message_ = std::exchange(other.message_, {});
            receipt_ = std::move(other.receipt_);
        }
        return *this;
    }
    ~async_message() { give_back(); }

    // False: the end of the stream (see async_consumer::next), or moved from.
    explicit operator bool() const { return static_cast<bool>(message_); }

    [[nodiscard]] std::span<const std::byte> payload() const { return message_.payload(); }
    [[nodiscard]] std::string_view text() const { return message_.text(); }
    [[nodiscard]] std::uint64_t sequence() const { return message_.sequence(); }
    [[nodiscard]] std::uint32_t attempt() const { return message_.attempt(); }
    [[nodiscard]] bool redelivered() const { return message_.redelivered(); }

    // It is done. Others that were received earlier need not be.
    void acknowledge() { receipt_.done(); }

    // It is not, and somebody shall have it again.
    void give_back() {
        if (receipt_.open()) { receipt_.give_back({message_}); }
    }

  private:
    message message_;
    receipt receipt_;
};

// As async_message, for several: acknowledged as a whole.
class async_batch {
  public:
    async_batch() = default;
    async_batch(std::vector<message> messages, receipt where)
        : messages_{std::move(messages)}, receipt_{std::move(where)} {}
    async_batch(async_batch&& other) noexcept = default;
    async_batch& operator=(async_batch&& other) noexcept {
        if (this != &other) {
            give_back();
            messages_ = std::move(other.messages_);
            receipt_ = std::move(other.receipt_);
        }
        return *this;
    }
    ~async_batch() { give_back(); }

    [[nodiscard]] bool empty() const { return messages_.empty(); }
    [[nodiscard]] std::size_t size() const { return messages_.size(); }
    [[nodiscard]] auto begin() const { return messages_.begin(); }
    [[nodiscard]] auto end() const { return messages_.end(); }
    [[nodiscard]] const message& operator[](std::size_t i) const { return messages_[i]; }

    void acknowledge() { receipt_.done(); }
    void give_back() {
        if (receipt_.open()) { receipt_.give_back(std::move(messages_)); }
    }

  private:
    std::vector<message> messages_;
    receipt receipt_;
};

}  // namespace ringpipe
