// The writing end of a ring.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/loan.hpp"
#include "ringpipe/shm/ring.hpp"
#include "ringpipe/shm/wait_point.hpp"

namespace ringpipe {

struct producer_options {
    std::string name = {};  // for people: `ringpipe stat` shows it

    // A name that outlives this producer: whoever attaches under it again learns from last_id() how
    // far it has come. One at a time: a second one gets error(name_in_use).
    std::string resume = {};
    wait_strategy wait = wait_strategy::adaptive;
};

// One member of the ring. Not thread-safe: one thread at a time; other threads make a producer
// of their own. After fork() it belongs to the parent: the child gets error(forked).
//
// A send that returned has happened: the message reaches every group, whatever is killed
// afterwards. Messages larger than ring::max_message_size() are refused at once with
// error(message_too_large).
class producer {
  public:
    explicit producer(const ring& to, const producer_options& options = {});
    producer(producer&&) noexcept;
    producer& operator=(producer&&) noexcept;

    // Leaves as close() does; while an exception unwinds the stack, as abandon() does.
    ~producer();

    // Waits for room.
    void send(std::span<const std::byte> payload) { (void)send_until(payload, never); }

    // False: there was no room until the deadline; for try_send also: another producer is just at
    // work.
    [[nodiscard]] bool try_send(std::span<const std::byte> payload) {
        return send_until(payload, deadline::min());
    }
    template <class Rep, class Period>
    [[nodiscard]] bool send_for(std::span<const std::byte> payload,
                                std::chrono::duration<Rep, Period> timeout) {
        return send_until(payload, after(timeout));
    }
    bool send_until(std::span<const std::byte> payload, deadline until);

    // All of them, one behind the other, or none: a batch is seen whole or not at all.
    using batch = std::span<const std::span<const std::byte>>;
    void send_batch(batch payloads) { (void)send_batch_until(payloads, never); }
    [[nodiscard]] bool try_send_batch(batch payloads) {
        return send_batch_until(payloads, deadline::min());
    }
    template <class Rep, class Period>
    [[nodiscard]] bool send_batch_for(batch payloads, std::chrono::duration<Rep, Period> timeout) {
        return send_batch_until(payloads, after(timeout));
    }
    bool send_batch_until(batch payloads, deadline until);

    // With an id of the sender's world that grows (a file offset, a stream's sequence). Only for
    // producers with options.resume; what last_id() tells is exactly what was committed, whenever
    // we were killed.
    void send(std::span<const std::byte> payload, std::uint64_t id) {
        (void)send_until(payload, id, never);
    }
    bool send_until(std::span<const std::byte> payload, std::uint64_t id, deadline until);

    // As send_batch, with an id for each.
    bool send_batch_until(batch payloads, std::span<const std::uint64_t> ids, deadline until);

    // The id of the last message that was committed under this name; none before the first.
    [[nodiscard]] std::optional<std::uint64_t> last_id() const;

    // Space for a message to be built in place. A sender that waits while it holds a loan of its
    // own could wait for itself: that throws error(loan_outstanding).
    [[nodiscard]] loan lend(std::size_t size) { return lend_until(size, never); }
    [[nodiscard]] loan try_lend(std::size_t size) { return lend_until(size, deadline::min()); }
    template <class Rep, class Period>
    [[nodiscard]] loan lend_for(std::size_t size, std::chrono::duration<Rep, Period> timeout) {
        return lend_until(size, after(timeout));
    }
    [[nodiscard]] loan lend_until(std::size_t size, deadline until);

    // For whoever waits elsewhere, in an event loop. All of these take the `space` that the
    // messages need with their headers: space_for() each.
    [[nodiscard]] static constexpr std::uint64_t space_for(std::size_t size) {
        return layout::stride_of(size);
    }
    [[nodiscard]] bool has_room_until(std::uint64_t space, deadline until);
    // Stands in line for room, so that the small messages of others cannot starve a large one, and
    // announces the sleep. Nothing: there may be room by now; try again. Does not wait.
    [[nodiscard]] std::optional<wait_point> announce_wait(std::uint64_t space);
    // Out of the line, without having sent.
    void stop_waiting();

    // Leaves: this producer's part of the stream is complete. The last one to leave ends it.
    void close() noexcept;

    // Leaves: the stream is incomplete, and every group will be told so at its end.
    void abandon() noexcept;

  private:
    std::unique_ptr<append_end> end_;
    int exceptions_at_start_;
};

}  // namespace ringpipe
