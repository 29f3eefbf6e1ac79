#include "shm/tap.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "shm/segment.hpp"

namespace ringpipe {

namespace word = layout::word;

namespace {

using namespace std::chrono_literals;

constexpr clock::duration first_pause = 10us;
constexpr clock::duration longest_pause = 10ms;

// Bytes that a producer may be writing over: what comes of it is believed only if the frontier
// says so afterwards, so ThreadSanitizer need not see it. By words, each of which is read once.
#if defined(__SANITIZE_THREAD__)
[[gnu::no_sanitize_thread, gnu::noinline]]
#endif
void copy_words(std::byte* to, const std::byte* from, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
        const auto one =
            __atomic_load_n(reinterpret_cast<const std::uint64_t*>(from + at), __ATOMIC_RELAXED);
        std::memcpy(to + at, &one, sizeof one);
    }
}

}  // namespace

tap::tap(const ring& of, start_at from)
    : ring_{of},
      view_{of.shared()->messages()},
      side_{&of.shared()->append()},
      capacity_{of.capacity()} {
    // At the limit a message begins, and all behind it is there.
    cursor_ =
        (from == start_at::earliest ? side_->limit : side_->tail).load(std::memory_order_acquire);
}

bool tap::overtaken() const {
    // Behind our reads, as the producer's release fence is before its writes (see
    // append_lock::make_room): had we read one of these, we would see the frontier that allowed it.
    std::atomic_thread_fence(std::memory_order_acquire);
    return side_->frontier.load(std::memory_order_relaxed) > cursor_;
}

tap::look tap::try_copy(tapped_message& seen) {
    const auto head = view_.peek(cursor_);
    const auto state = word::state_of(head);
    const auto stride = layout::stride_of(word::size_of(head));
    if (state < word::committed || stride > capacity_) {
        if (overtaken()) { return look::overtaken; }
        if (state >= word::committed) {
            throw_corrupt("a message is longer than the ring", cursor_);
        }
        return look::nothing;
    }
    copy_.resize(stride);
    copy_words(copy_.data(), reinterpret_cast<const std::byte*>(&view_.at(cursor_)), stride);
    if (overtaken()) { return look::overtaken; }

    std::uint64_t sequence = 0;
    std::memcpy(&sequence, copy_.data() + sizeof head, sizeof sequence);
    const auto gap = in_step_ && sequence > expected_ ? sequence - expected_ : 0;
    in_step_ = true;
    expected_ = sequence + 1;
    missed_ += gap;
    seen.missed += gap;
    cursor_ += stride;
    // Once a round: headers that somebody else wrote could lead us round for ever.
    if ((cursor_ & (capacity_ - 1)) < stride && cursor_ > side_->tail.load() + capacity_) {
        throw_corrupt("a tap has seen more than was ever sent", cursor_);
    }
    if (state == word::discarded) { return look::skip; }

    const auto id_size = (head & word::has_external_id) != 0 ? sizeof(std::uint64_t) : 0;
    const auto size = word::size_of(head);
    if (size < id_size) { throw_corrupt("a message is too short for its external id", cursor_); }
    seen.sequence = sequence;
    seen.producer = word::owner_of(head);
    seen.payload = std::span{copy_}.subspan(layout::header_bytes, size - id_size);
    return look::message;
}

receive_status tap::receive_until(tapped_message& seen, deadline until) {
    seen = {};
    auto pause = first_pause;
    for (;;) {
        // Before the look at the ring: a message sent just before a close is not missed.
        const bool patient = pause == longest_pause || until == deadline::min();
        const auto [ended, truncated] = patient ? ending() : std::pair{false, false};
        switch (try_copy(seen)) {
            case look::message: return receive_status::message;
            case look::skip: pause = first_pause; continue;
            case look::overtaken: go_on_with_oldest(); continue;
            case look::nothing: break;
        }
        if (ended) { return truncated ? receive_status::truncated : receive_status::end; }
        if (patient && skip_dead()) { continue; }
        const auto now = clock::now();
        if (now >= until) { return receive_status::timed_out; }
        // Nobody will wake us: to be woken costs the sender, and a tap costs nobody anything.
        std::this_thread::sleep_until(std::min(until, now + pause));
        pause = std::min(pause * 2, longest_pause);
    }
}

// The frontier is never beyond the limit.
void tap::go_on_with_oldest() {
    const auto frontier = side_->frontier.load(std::memory_order_acquire);
    cursor_ = side_->limit.load(std::memory_order_acquire);
    if (cursor_ < frontier) { throw_corrupt("old messages are written over too early", cursor_); }
}

std::pair<bool, bool> tap::ending() const {
    const auto status = ring_.status();
    return {status.ended, status.truncated};
}

// What a dead producer has left half-written, where there is no consumer to discard it.
bool tap::skip_dead() {
    const auto head = view_.peek(cursor_);
    if (word::state_of(head) != word::busy || ring_.shared()->alive(word::owner_of(head))) {
        return false;
    }
    const auto stride = layout::stride_of(word::size_of(head));
    if (overtaken() || stride > capacity_) { return false; }
    cursor_ += stride;
    return true;
}

}  // namespace ringpipe
