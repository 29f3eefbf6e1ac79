// The reading end of a ring.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/message.hpp"
#include "ringpipe/shm/message_view.hpp"
#include "ringpipe/shm/ring.hpp"
#include "ringpipe/shm/wait_point.hpp"

namespace ringpipe {

class claim_end;

struct consumer_options {
    std::string group = "default";
    start_at from = start_at::earliest;     // if the group is new
    group_kind kind = group_kind::durable;  // if the group is new
    std::uint32_t prefetch = 4096;          // messages in one lease, at most
    wait_strategy wait = wait_strategy::adaptive;
    // A message that has been begun so often and never acknowledged goes to the ring NAME.dead
    // instead of killing the next consumer. 0: never.
    std::uint32_t max_attempts = 5;
    std::string name = {};  // for people: `ringpipe stat` shows it
};

// One member of one group. Not thread-safe: one thread at a time; other threads make a consumer
// of their own. After fork() it belongs to the parent: the child gets error(forked).
//
//     while (auto message = in.receive()) {
//         work_on(message.payload());
//         in.acknowledge(message);
//     }
//     if (in.truncated()) { ... }
//
// Messages lie in a lease of this consumer until it acknowledges them; if it dies first, another
// member of the group gets them, marked as redelivered. A consumer that leaves cleanly hands back
// what it has not acknowledged.
class consumer {
  public:
    explicit consumer(const ring& from, const consumer_options& options = {});
    consumer(consumer&&) noexcept;
    consumer& operator=(consumer&&) noexcept;
    ~consumer();

    // Waits for a message, or the end of the stream. Throws error(unacknowledged) if all that the
    // lease holds was received, none of the rest can be leased, and the caller still has to
    // acknowledge: see at_hand().
    [[nodiscard]] message receive() { return receive_until(never); }
    [[nodiscard]] message try_receive() { return receive_until(deadline::min()); }
    template <class Rep, class Period>
    [[nodiscard]] message receive_for(std::chrono::duration<Rep, Period> timeout) {
        message received;
        if (!next_in_lease(received)) { claim_and_receive(received, after(timeout)); }
        return received;
    }
    [[nodiscard]] message receive_until(deadline until) {
        message received;
        if (!next_in_lease(received)) { claim_and_receive(received, until); }
        return received;
    }

    // As receive, and then whatever else is at hand, up to `most` messages, appended to `into`
    // (cleared first). Returns `message` if there is at least one.
    receive_status receive_batch(std::vector<message>& into, std::size_t most,
                                 deadline until = never);

    // This message and all that were received before it are done.
    void acknowledge(const message& done) { acknowledge_to(done.end()); }

    // All received messages that end at this position or before it are done (see message::end()).
    void acknowledge_to(std::uint64_t end) {
        if (advance(end)) [[unlikely]] { release_for_waiting_producers(); }
    }

    // All that were received are done.
    void acknowledge() { acknowledge_to(cursor_); }

    // Gives this message back, to be received again, by whoever is free, not before `delay` is
    // over; what was received before it counts as acknowledged. Its attempt counts.
    void reject(const message& returned, std::chrono::nanoseconds delay = {});

    // The caller begins with this message once more: counts the attempt where it survives us. It
    // has to be the first that is not acknowledged. Returns the number of the new attempt.
    std::uint32_t count_attempt(const message& again);

    // To the ring NAME.dead, with why and when and how often; then it is acknowledged. False: that
    // ring had no room for it, and only ring_status::dead_letters_dropped tells of it.
    bool bury(const message& dead, std::string_view why);

    // Messages that this consumer has buried, by itself too: max_attempts.
    [[nodiscard]] std::uint64_t buried() const;

    // True if receive() would return a message of the lease at once, without asking the ring. A
    // program that collects before it acknowledges does so when this turns false.
    [[nodiscard]] bool at_hand() const { return cursor_ != lease_end_; }

    // For whoever waits elsewhere, in an event loop. As receive_until, but the message stays at
    // hand, for the next receive.
    receive_status lease_until(deadline until);
    // As acknowledge_to. True: a producer sleeps until this is released: call try_release(), from
    // a thread that may make system calls.
    [[nodiscard]] bool acknowledge_lazily(std::uint64_t end) { return advance(end); }
    void try_release();
    // As reject(). False: the group is being changed by another; try again.
    [[nodiscard]] bool try_reject(const message& returned, std::chrono::nanoseconds delay = {});
    // Announces the sleep. Look again (can_lease) before sleeping; stop_waiting() hands a wake on
    // that was used up and is not needed.
    [[nodiscard]] wait_point announce_wait();
    void stop_waiting();
    [[nodiscard]] bool can_lease() const;
    // When lease_until() last looked there was no producer: the end is what is waited for, and may
    // come by our own acknowledgement.
    [[nodiscard]] bool ending() const;

    // True if a producer died or gave up in the middle of the stream.
    [[nodiscard]] bool truncated() const;

    // Leaves; what is not acknowledged is handed back to the group.
    void close() noexcept;

  private:
    friend class claim_end;

    bool next_in_lease(message& received);
    void claim_and_receive(message& received, deadline until);
    bool advance(std::uint64_t end);
    void release_for_waiting_producers();
    [[nodiscard]] claim_end& opened() const;

    // What the fast path touches. [acknowledged_, lease_end_) is leased, up to cursor_ received.
    message_view view_;
    layout::position cursor_ = 0;
    layout::position lease_end_ = 0;
    layout::position acknowledged_ = 0;
    std::uint32_t attempt_ = 1;         // of the next message
    std::uint32_t attempt_behind_ = 1;  // of those behind it in the lease
    bool redelivered_ = false;          // all of the lease
    std::atomic<layout::position>* lease_begin_ = nullptr;
    const layout::room* room_ = nullptr;

    std::unique_ptr<claim_end> end_;
};

inline bool consumer::next_in_lease(message& received) {
    while (cursor_ != lease_end_) {
        const auto at = cursor_;
        // The claim's acquire has already ordered us behind the commit.
        const auto header = view_.read(at, lease_end_ - at);
        cursor_ += header.stride;
        if (!header.is_message) { continue; }
        const auto payload = view_.payload(at, header);
        received.data_ = payload.data();
        received.size_ = payload.size();
        received.sequence_ = header.sequence;
        received.position_ = at;
        received.end_ = cursor_;
        received.attempt_ = attempt_;
        received.redelivered_ = redelivered_;
        received.producer_ = header.producer;
        received.status_ = receive_status::message;
        attempt_ = attempt_behind_;
        return true;
    }
    return false;
}

// True: a producer waits for this to be released.
inline bool consumer::advance(std::uint64_t end) {
    if (end <= acknowledged_ || end > cursor_) { return false; }
    const auto before = std::exchange(acknowledged_, end);
    // Release: our reads of the payload come before whoever reuses the space. Pairs with the
    // acquire of `begin` in group_lock::recompute_released.
    lease_begin_->store(end, std::memory_order_release);
    // Relaxed, and no fence: a producer that we overlook here looks again by itself.
    if ((room_->waiting.load(std::memory_order_relaxed) & 1U) != 0) [[unlikely]] {
        // Only the step over what it waits for is worth a lock.
        const auto wanted = room_->wanted.load(std::memory_order_relaxed);
        return before < wanted && wanted <= end;
    }
    return false;
}

}  // namespace ringpipe
