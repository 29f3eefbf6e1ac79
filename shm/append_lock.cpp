#include "shm/append_lock.hpp"

#include <algorithm>
#include <cstring>

namespace ringpipe {

namespace word = layout::word;

namespace {

// The last external id of a named producer is what the ring says it committed.
void remember_id(const segment& where, layout::position at, std::uint64_t seen) {
    const auto slot = layout::slot_of(word::owner_of(seen));
    if ((seen & word::has_external_id) == 0 || slot >= where.members().size() ||
        word::size_of(seen) < sizeof(std::uint64_t)) {
        return;
    }
    const auto named = where.members()[slot].named.load(std::memory_order_relaxed);
    if (named == 0 || named > where.named().size()) { return; }
    std::uint64_t id = 0;
    const auto* payload =
        reinterpret_cast<const std::byte*>(&where.messages().at(at)) + layout::header_bytes;
    std::memcpy(&id, payload + word::size_of(seen) - sizeof id, sizeof id);
    where.named()[named - 1].last_id.store(id, std::memory_order_relaxed);
    where.named()[named - 1].has_id.store(1, std::memory_order_relaxed);
}

}  // namespace

layout::position least_released(const segment& where, layout::position otherwise) {
    auto least = ~layout::position{0};
    for (const auto& group : where.groups()) {
        // Acquire, both: pairs with the release that made the group, and with the one that released
        // the space, so that the consumers' reads come before our writes.
        if (group.state.load(std::memory_order_acquire) != layout::group_state::empty) {
            least = std::min(least, group.released.load(std::memory_order_acquire));
        }
    }
    return least == ~layout::position{0} ? otherwise : least;
}

bool append_lock::make_room(layout::position end) {
    auto& side = where_->append();
    const auto capacity = where_->capacity();
    // A group may have released what a dead producer appended and nobody has repaired yet: never
    // beyond the tail. Never backwards either.
    const auto old_limit = side.limit.load(std::memory_order_relaxed);
    const auto tail = side.tail.load(std::memory_order_relaxed);
    const auto limit = std::max(old_limit, std::min(tail, least_released(*where_, old_limit)));
    if (limit != old_limit) { side.limit.store(limit, std::memory_order_relaxed); }

    const auto first = side.first_in_line.load(std::memory_order_relaxed);
    if (first != 0 && first != me_) {
        if (where_->alive(first)) { return false; }
        side.first_in_line.store(0, std::memory_order_relaxed);
    }
    const auto overwritten = end > capacity ? end - capacity : 0;
    if (overwritten > limit) { return false; }

    // In steps of a sixteenth, so that one comparison per send does for room and taps.
    const auto old_frontier = side.frontier.load(std::memory_order_relaxed);
    const auto frontier = std::min(limit, std::max(old_frontier, overwritten + capacity / 16));
    if (frontier != old_frontier) {
        side.frontier.store(frontier, std::memory_order_release);  // behind the limit
        // Release: the frontier is seen before any byte written over what it gives up. Pairs with
        // the acquire fence of a tap behind its copy.
        std::atomic_thread_fence(std::memory_order_release);
    }
    side.room_end.store(frontier + capacity, std::memory_order_relaxed);
    return true;
}

void append_lock::repair_or_give_up() {
    try {
        repair();
    } catch (...) {
        lock_.give_up(me_);
        throw;
    }
}

void append_lock::repair() {
    auto& side = where_->append();
    const auto view = where_->messages();
    const auto tail = side.tail.load(std::memory_order_relaxed);
    auto sequence = side.sequence.load(std::memory_order_relaxed);
    auto end = tail;
    for (;;) {
        const auto& header = view.at(end);
        const auto seen = header.word.load(std::memory_order_acquire);
        if (word::state_of(seen) == word::nothing) { break; }
        const auto stride = layout::stride_of(word::size_of(seen));
        if (end + stride + layout::header_bytes - tail > where_->capacity()) {
            throw_corrupt("a message behind the tail is longer than the ring", end);
        }
        sequence = header.sequence + 1;
        remember_id(*where_, end, seen);
        end += stride;
    }
    side.sequence.store(sequence, std::memory_order_relaxed);
    side.tail.store(end, std::memory_order_relaxed);
    side.room_end.store(0, std::memory_order_relaxed);  // whatever it was: look again
}

void append_lock::discard_dead(layout::position from, std::uint64_t most) {
    const auto& side = where_->append();
    const auto tail = side.tail.load(std::memory_order_relaxed);
    const auto view = where_->messages();
    // Below the limit the bytes may be anything by now.
    if (from < side.limit.load(std::memory_order_relaxed)) { return; }
    for (auto at = from; at < tail && at - from < most;) {
        auto& header = view.at(at);
        auto seen = header.word.load(std::memory_order_acquire);
        const auto state = word::state_of(seen);
        if (state == word::nothing) { throw_corrupt("there is a hole before the tail", at); }
        if (state == word::busy && !where_->alive(word::owner_of(seen))) {
            // From its exact word, so that it cannot be committed and discarded both. Fails if the
            // owner has settled it before it died: as good.
            header.word.compare_exchange_strong(seen, word::with_state(seen, word::discarded),
                                                std::memory_order_release);
        }
        at += layout::stride_of(word::size_of(seen));
    }
}

}  // namespace ringpipe
