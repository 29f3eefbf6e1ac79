// Reads message headers from the buffer without trusting them.
#pragma once

#include <span>
#include <string>

#include "ringpipe/shm/layout.hpp"

namespace ringpipe {

// Throws error(corrupt), naming the ring. Out of line: nothing on the way of good messages.
[[noreturn]] void throw_corrupt(const char* what, layout::position at);

// The buffer, mapped twice in a row: [at & mask, + capacity) is always contiguous.
struct message_view {
    std::byte* buffer = nullptr;
    std::uint64_t mask = 0;  // capacity - 16: a wild position still gives an aligned address inside

    struct header {
        std::uint64_t size;    // of the payload
        std::uint64_t stride;  // to the next header; a multiple of 16, never 0
        std::uint64_t sequence;
        std::uint32_t producer;
        bool is_message;  // false: discarded, to be skipped
    };

    [[nodiscard]] layout::message_header& at(layout::position position) const {
        return *reinterpret_cast<layout::message_header*>(buffer + (position & mask));
    }

    // The word at a place that nobody has to leave alone: without the lock that guards the
    // position, it may be written over, with a payload too, while we look. What it says is a hint,
    // looked at again under the lock before anything follows from it; so ThreadSanitizer need not
    // see it. Acquire: pairs with the producer's commit.
#if defined(__SANITIZE_THREAD__)
    [[gnu::no_sanitize_thread, gnu::noinline]]
#endif
    [[nodiscard]] std::uint64_t
    peek(layout::position position) const {
        return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(&at(position)),
                               __ATOMIC_ACQUIRE);
    }

    // A header that is known to be settled, within `bound` bytes (at most the capacity).
    [[nodiscard]] header read(layout::position position, std::uint64_t bound) const {
        const auto& raw = at(position);
        const auto word = raw.word.load(std::memory_order_relaxed);
        auto size = layout::word::size_of(word);
        const auto stride = layout::stride_of(size);
        const auto state = layout::word::state_of(word);
        if (stride > bound || state < layout::word::committed) [[unlikely]] {
            throw_corrupt("a leased message has an impossible header", position);
        }
        if ((word & layout::word::has_external_id) != 0) [[unlikely]] {
            if (size < sizeof(std::uint64_t)) {
                throw_corrupt("a message is too short for its external id", position);
            }
            size -= sizeof(std::uint64_t);
        }
        return {size, stride, raw.sequence, layout::word::owner_of(word),
                state == layout::word::committed};
    }

    [[nodiscard]] std::span<const std::byte> payload(layout::position position,
                                                     const header& h) const {
        return {buffer + (position & mask) + layout::header_bytes, h.size};
    }
};

}  // namespace ringpipe
