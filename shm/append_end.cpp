#include "shm/append_end.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "common/error.hpp"
#include "shm/cpu.hpp"
#include "shm/group_table.hpp"
#include "shm/producer_names.hpp"
#include "shm/wait_word.hpp"

namespace ringpipe {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
namespace word = layout::word;

namespace {

// Larger payloads are copied as a loan, outside of the lock, so that producers copy in parallel.
constexpr std::size_t largest_copy_under_lock = 4096;

std::byte* payload_of(layout::message_header& header) {
    return reinterpret_cast<std::byte*>(&header) + layout::header_bytes;
}

// Small messages are the ones that count every nanosecond: no call for them.
inline void copy_behind(layout::message_header& header, std::span<const std::byte> payload) {
    constexpr std::size_t block = 16;
    auto* const to = payload_of(header);
    const auto* const from = payload.data();
    const auto size = payload.size();
    if (size >= block && size <= 8 * block) {
        // The last block overlaps the one before it.
        std::memcpy(to + size - block, from + size - block, block);
        for (auto at = (size - 1) / block * block; at != 0; at -= block) {
            std::memcpy(to + at - block, from + at - block, block);
        }
    } else if (size != 0) {
        // (An empty span may have no address, and memcpy wants one.)
        std::memcpy(to, from, size);
    }
}

}  // namespace

append_end::append_end(std::shared_ptr<segment> where, const producer_options& options)
    : where_{std::move(where)},
      member_{std::in_place, where_, layout::role::producer, options.name},
      lock_{*where_, member_->id()},
      view_{where_->messages()},
      side_{where_->append()},
      sleepers_{where_->sleepers()},
      spinner_{options.wait} {
    if (!options.resume.empty()) {
        const auto index = find_or_make_name(*where_, member_->id(), options.resume);
        member_->entry().named.store(index + 1, memory_order_relaxed);
        // Announced first: from now on our death is noticed.
        member_->announce();
        take_name(*where_, member_->id(), index);
        name_ = &where_->named()[index];
    } else {
        member_->announce();
    }
}

bool append_end::send_until(std::span<const std::byte> payload, deadline until) {
    if (payload.size() > largest_copy_under_lock) { return send_as_loan(payload, until); }
    const auto stride = layout::stride_of(payload.size());
    if (!lock_with_room(stride, until)) { return false; }
    const auto at = side_.tail.load(memory_order_relaxed);
    const auto sequence = side_.sequence.load(memory_order_relaxed);
    auto& header = view_.at(at);
    // From the back to the front: a consumer that polls the header takes its line from us as soon
    // as we have written to it, so all that goes there is written last, and in one go.
    view_.at(at + stride).word.store(0, memory_order_relaxed);
    copy_behind(header, payload);
    header.sequence = sequence;
    // The commit point. Release: payload, sequence and the next header's 0 come before it. Pairs
    // with the acquire of whoever finds the message (claim, repair, tap).
    header.word.store(word::make(word::committed, payload.size(), member_->id()),
                      memory_order_release);
    advance(at + stride, sequence + 1);
    unlock_and_wake();
    member_->count(1);
    return true;
}

bool append_end::send_as_loan(std::span<const std::byte> payload, deadline until) {
    auto space = lend_until(payload.size(), until);
    if (!space) { return false; }
    std::memcpy(space.payload().data(), payload.data(), payload.size());
    space.commit();
    return true;
}

bool append_end::send_batch_until(producer::batch payloads, std::span<const std::uint64_t> ids,
                                  deadline until) {
    if (payloads.empty()) { return true; }
    const auto extra = ids.empty() ? 0 : sizeof(std::uint64_t);
    refuse_ids_unless_named(payloads.size(), ids.size());
    std::uint64_t total = 0;
    for (const auto& payload : payloads) {
        refuse_if_too_large(0, payload.size() + extra, "a message of the batch");
        const auto stride = layout::stride_of(payload.size() + extra);
        refuse_if_too_large(stride, payload.size(), "a message of the batch");
        total += stride;
        refuse_if_too_large(total, total, "a batch");
    }
    if (!lock_with_room(total, until)) { return false; }
    const auto first_at = side_.tail.load(memory_order_relaxed);
    auto sequence = side_.sequence.load(memory_order_relaxed);
    const auto me = member_->id();
    const auto flags = ids.empty() ? 0 : word::has_external_id;
    // All behind the first, then the first: as long as its word is 0 nobody walks past it, not even
    // a repair, and the batch has not happened.
    auto at = first_at;
    for (std::size_t i = 0; i < payloads.size(); ++i) {
        auto& header = begin_message(at, sequence++);
        copy_behind(header, payloads[i]);
        const auto size = payloads[i].size() + extra;
        if (!ids.empty()) { std::memcpy(payload_of(header) + payloads[i].size(), &ids[i], extra); }
        if (i != 0) {
            header.word.store(word::make(word::committed, size, me, flags), memory_order_relaxed);
        }
        at += layout::stride_of(size);
    }
    view_.at(at).word.store(0, memory_order_relaxed);
    // The commit point of all; release as in send_until.
    view_.at(first_at).word.store(
        word::make(word::committed, payloads.front().size() + extra, me, flags),
        memory_order_release);
    if (!ids.empty()) {
        name_->last_id.store(ids.back(), memory_order_relaxed);
        name_->has_id.store(1, memory_order_relaxed);
    }
    advance(at, sequence);
    unlock_and_wake();
    member_->count(payloads.size());
    return true;
}

void append_end::refuse_ids_unless_named(std::size_t messages, std::size_t ids) const {
    if (ids == 0) { return; }
    if (ids != messages) {
        throw error{
            errc::invalid_argument,
            fmt::format("cannot send {} messages with {} ids: give one for each", messages, ids)};
    }
    if (name_ == nullptr) {
        throw error{errc::invalid_argument,
                    "cannot send with an id: this producer has no name to resume under; set "
                    "producer_options::resume"};
    }
}

std::optional<std::uint64_t> append_end::last_id() const {
    if (name_ == nullptr || name_->has_id.load(memory_order_acquire) == 0) { return {}; }
    return name_->last_id.load(memory_order_acquire);
}

loan append_end::lend_until(std::size_t size, deadline until) {
    refuse_if_too_large(0, size, "a message");  // before a sum could overflow
    const auto stride = layout::stride_of(size);
    if (!lock_with_room(stride, until)) { return {}; }
    const auto at = side_.tail.load(memory_order_relaxed);
    const auto sequence = side_.sequence.load(memory_order_relaxed);
    auto& header = begin_message(at, sequence);
    const auto busy = word::make(word::busy, size, member_->id());
    view_.at(at + stride).word.store(0, memory_order_relaxed);
    // Release: the sequence and the next header's 0 come before it. The groups stop here.
    header.word.store(busy, memory_order_release);
    advance(at + stride, sequence + 1);
    lock_.unlock();
    ++open_loans_;
    return {*this, at, {payload_of(header), size}, busy};
}

void append_end::commit(layout::position at, std::uint64_t busy, std::size_t size) {
    if (!member_) {
        settle_loan();
        throw error{errc::closed,
                    "cannot commit: this loan's producer was closed, and the message is discarded"};
    }
    const auto lent = word::size_of(busy);
    const auto me = member_->id();
    const auto used = layout::stride_of(size);
    const auto rest = layout::stride_of(lent) - used;
    auto& header = view_.at(at);
    if (rest != 0) {
        // What was lent and not used becomes a filler, in place before the message is.
        auto& filler = view_.at(at + used);
        filler.sequence = header.sequence;
        filler.word.store(
            word::make(word::discarded, rest - layout::header_bytes, me, word::filler),
            memory_order_relaxed);
    }
    settle_loan();
    auto expected = busy;
    // A compare-exchange, not a store: if somebody took us for dead and discarded the message, the
    // caller must not believe that it was sent. Release as in send_until.
    if (!header.word.compare_exchange_strong(expected, word::make(word::committed, size, me),
                                             std::memory_order_seq_cst)) {
        throw error{errc::presence_lost,
                    "a message was discarded before it was committed: others took this process for "
                    "dead, because its "
                    "presence lock was gone (close_range?); open the ring again"};
    }
    full_fence_after_rmw();
    wake_groups();
    member_->count(1);
}

void append_end::discard(layout::position at, std::uint64_t busy) noexcept {
    if (forked()) { return; }
    if (!member_) { return settle_loan(); }  // whoever is stopped by it discards it
    settle_loan();
    auto expected = busy;
    view_.at(at).word.compare_exchange_strong(expected, word::with_state(busy, word::discarded),
                                              std::memory_order_seq_cst);
    full_fence_after_rmw();
    wake_groups();
}

void append_end::leave(std::unique_ptr<append_end> end) noexcept {
    const auto where = end->where_;
    const bool ours = !end->forked();
    end->member_.reset();
    // Open loans point here: the last of them takes this object along.
    if (end->has_open_loans()) {
        (void)end.release();
    } else {
        end.reset();
    }
    if (ours) { wake_all_groups(*where); }
}

void append_end::settle_loan() noexcept {
    if (--open_loans_ == 0 && !member_) { delete this; }
}

void append_end::mark_truncated() noexcept { ringpipe::mark_truncated(*where_, member_->slot()); }

layout::message_header& append_end::begin_message(layout::position at, std::uint64_t sequence) {
    auto& header = view_.at(at);
    header.sequence = sequence;
    return header;
}

// Sequence before tail: a repair between the two finds the message behind the old tail and sets
// both.
void append_end::advance(layout::position tail, std::uint64_t sequence) {
    side_.sequence.store(sequence, memory_order_relaxed);
    side_.tail.store(tail, memory_order_release);
}

inline void append_end::unlock_and_wake() {
    lock_.unlock();
    // Between the commit and the look at who sleeps; pairs with the sleeper's (see wait_word.hpp).
    full_fence_after_rmw();
    wake_groups();
}

inline void append_end::wake_groups() {
    if (sleepers_.groups.load(memory_order_relaxed) != 0) [[unlikely]] { wake_sleepers(); }
}

void append_end::wake_sleepers() {
    auto& mask = sleepers_.groups;
    for (auto left = mask.load(memory_order_relaxed); left != 0; left &= left - 1) {
        const auto index = static_cast<std::size_t>(std::countr_zero(left));
        const auto bit = std::uint64_t{1} << index;
        // Whoever clears the bit wakes one sleeper; who is woken, or claims meanwhile, sets it
        // again if there are more.
        if ((mask.fetch_and(~bit, std::memory_order_seq_cst) & bit) != 0 &&
            index < where_->groups().size()) {
            wait_word::wake(where_->groups()[index].waiting, 1);
        }
    }
}

void append_end::refuse_if_too_large(std::uint64_t stride, std::uint64_t size,
                                     const char* what) const {
    if (stride + layout::header_bytes > where_->capacity() || size > word::max_size) [[unlikely]] {
        throw error{
            errc::message_too_large,
            fmt::format("cannot send {} of {} bytes to ring {}: at most {} fit; make the ring with "
                        "a larger "
                        "--capacity, or split it",
                        what, size, where_->file().name(),
                        std::min(where_->capacity() - 2 * layout::header_bytes, word::max_size))};
    }
}

inline bool append_end::lock_with_room(std::uint64_t stride, deadline until) {
    (void)member_->id();  // throws in a forked child, before it could take the parent's lock
    if (!lock_.try_lock_until(until)) { return false; }
    const auto end = side_.tail.load(memory_order_relaxed) + stride + layout::header_bytes;
    if (end <= side_.room_end.load(memory_order_relaxed)) [[likely]] { return true; }
    return wait_for_room(stride, until);
}

bool append_end::has_room_until(std::uint64_t stride, deadline until) {
    if (!lock_with_room(stride, until)) { return false; }
    lock_.unlock();
    return true;
}

}  // namespace ringpipe
