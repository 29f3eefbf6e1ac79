// Space in the ring that a producer fills in place.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "ringpipe/shm/layout.hpp"

namespace ringpipe {

class append_end;

// Committed or discarded exactly once; discards itself if it goes away uncommitted. While it is
// open the groups stop in front of it. Behind its producer's close() it can only be discarded.
class loan {
  public:
    loan() = default;
    loan(append_end& end, layout::position at, std::span<std::byte> payload, std::uint64_t word)
        : end_{&end}, at_{at}, payload_{payload}, word_{word} {}
    loan(loan&& other) noexcept { swap(other); }
    loan& operator=(loan&& other) noexcept {
        loan{std::move(other)}.swap(*this);
        return *this;
    }
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;
    ~loan() { discard(); }

    // False: nothing was lent (no room until the deadline), or it is settled.
    explicit operator bool() const { return end_ != nullptr; }

    // Where to write; as it was, with bytes of older messages, so write all of it.
    [[nodiscard]] std::span<std::byte> payload() const { return payload_; }

    // Publishes the first `size` bytes. Throws error(presence_lost) if others took this producer
    // for dead and discarded the message.
    void commit(std::size_t size);
    void commit() { commit(payload_.size()); }

    void discard() noexcept;

  private:
    void swap(loan& other) noexcept {
        std::swap(end_, other.end_);
        std::swap(at_, other.at_);
        std::swap(payload_, other.payload_);
        std::swap(word_, other.word_);
    }

    append_end* end_ = nullptr;
    layout::position at_ = 0;
    std::span<std::byte> payload_;
    std::uint64_t word_ = 0;  // the header's word as long as nobody but us has touched it
};

}  // namespace ringpipe
