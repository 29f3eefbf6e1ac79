// A look at what passes, without taking part: never holds a producer back, and may miss messages.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/message.hpp"
#include "ringpipe/shm/message_view.hpp"
#include "ringpipe/shm/ring.hpp"

namespace ringpipe {

// A message as a tap saw it: a copy, whole or not at all.
struct tapped_message {
    std::uint64_t sequence = 0;
    std::uint32_t producer = 0;
    std::uint64_t missed = 0;            // messages that passed unseen before this one
    std::span<const std::byte> payload;  // until the tap's next receive

    [[nodiscard]] std::string_view text() const {
        return {reinterpret_cast<const char*>(payload.data()), payload.size()};
    }
};

// No member of the ring: it takes no lock and no slot, writes nothing, and nobody knows of it, so
// nobody wakes it either: a waiting tap looks every 10 ms. Not thread-safe: one thread at a time.
//
//     ringpipe::tap seen{ring};
//     ringpipe::tapped_message message;
//     while (seen.receive(message) == ringpipe::receive_status::message) {
//         std::cout << message.text() << '\n';
//     }
//
// Producers write over old messages while a tap reads. Before they do, they raise the ring's
// frontier; a tap copies first, and believes its copy only if the frontier has not come to it
// meanwhile: a sequence lock over each message (Boehm, "Can seqlocks get along with programming
// language memory models?", MSPC 2012). One that was overtaken goes on with the
// oldest that is left.
class tap {
  public:
    // `earliest`: with the oldest message that is still there, as far as that can be found.
    explicit tap(const ring& of, start_at from = start_at::latest);

    // `end` and `truncated`: all that was sent has been seen or missed, and no producer is there.
    receive_status receive(tapped_message& seen) { return receive_until(seen, never); }
    receive_status try_receive(tapped_message& seen) {
        return receive_until(seen, deadline::min());
    }
    template <class Rep, class Period>
    receive_status receive_for(tapped_message& seen, std::chrono::duration<Rep, Period> timeout) {
        return receive_until(seen, after(timeout));
    }
    receive_status receive_until(tapped_message& seen, deadline until);

    // In all, up to what was received last.
    [[nodiscard]] std::uint64_t missed() const { return missed_; }

  private:
    enum class look { message, nothing, overtaken, skip };

    look try_copy(tapped_message& seen);
    [[nodiscard]] bool overtaken() const;
    [[nodiscard]] std::pair<bool, bool> ending() const;  // ended, truncated
    void go_on_with_oldest();
    bool skip_dead();

    ring ring_;
    message_view view_;
    const layout::append_side* side_;
    std::uint64_t capacity_;
    layout::position cursor_ = 0;
    std::uint64_t expected_ = 0;  // the next message's number, if none is missed
    bool in_step_ = false;        // `expected_` is known
    std::uint64_t missed_ = 0;
    std::vector<std::byte> copy_;
};

}  // namespace ringpipe
