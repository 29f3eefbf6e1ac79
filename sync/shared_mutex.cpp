#include "sync/shared_mutex.hpp"

#include <fmt/format.h>

#include "common/error.hpp"

namespace ringpipe::sync {

using layout::reader;

namespace {

wanted_entry a_shared_mutex(std::string_view name) {
    return {.what = layout::kind::shared_mutex,
            .name = name,
            .parameter = 0,
            .size_for = [](std::uint64_t, std::uint32_t members) -> std::uint64_t {
                return sizeof(layout::shared_mutex_body) + members * sizeof(reader);
            }};
}

}  // namespace

shared_mutex::shared_mutex(const space& where, std::string_view name)
    : shared_mutex{where, where.core()->find_or_make(a_shared_mutex(name))} {}

shared_mutex::shared_mutex(const space& where, const place& found)
    : core_{where.core()},
      index_{found.index},
      body_{found.as<layout::shared_mutex_body>()},
      readers_{reinterpret_cast<reader*>(body_ + 1), core_->members()},
      word_{*core_, body_->writer} {}

// ---------------------------------------------------------------- readers

void shared_mutex::count_in(layout::member_id me) {
    auto& holds = readers_[core_->slot()].holds;
    auto seen = holds.load(std::memory_order_relaxed);
    // What a predecessor in this slot left does not count.
    while (!holds.compare_exchange_weak(
        seen, reader::make(me, reader::owner_of(seen) == me ? reader::count_of(seen) + 1 : 1),
        std::memory_order_seq_cst, std::memory_order_relaxed)) {}
}

// Counts one more; false, and nothing is counted, if a writer is there.
//
// Sequentially consistent on both sides: this counts and then looks for a writer, the writer takes
// its word and then looks for readers. One of the two sees the other.
//
// Crash window: counted and dead. The writer asks whether a reader that keeps it waiting lives.
bool shared_mutex::enter(layout::member_id me) {
    count_in(me);
    if (body_->writer.load(std::memory_order_seq_cst) == 0) [[likely]] { return true; }
    leave(me);
    return false;
}

void shared_mutex::leave(layout::member_id me) {
    auto& holds = readers_[core_->slot()].holds;
    auto seen = holds.load(std::memory_order_relaxed);
    do {
        if (reader::owner_of(seen) != me || reader::count_of(seen) == 0) {
            throw error{errc::not_held,
                        fmt::format("cannot unlock a shared_mutex in space {}: this process holds "
                                    "no share of it; call lock_shared() first",
                                    core_->name())};
        }
        // Release: what was read was read before a writer changes it.
    } while (!holds.compare_exchange_weak(seen, reader::make(me, reader::count_of(seen) - 1),
                                          std::memory_order_seq_cst, std::memory_order_relaxed));
    wake_if_announced(body_->drained, futex::everyone);
}

bool shared_mutex::read_lock_until(deadline until) {
    const auto me = core_->id();
    if (enter(me)) [[likely]] { return true; }
    auto& first = body_->first_reader;
    layout::member_id nobody = 0;
    first.compare_exchange_strong(nobody, me, std::memory_order_relaxed);
    // In turn with the writers, so that a row of them lets us in.
    const bool in = take_writer_word(me, until);
    if (in) {
        count_in(me);
        word_.unlock(me);
    }
    auto ours = me;
    if (first.compare_exchange_strong(ours, 0, std::memory_order_seq_cst)) {
        wake_if_announced(body_->turn, futex::everyone);
    }
    return in;
}

void shared_mutex::unlock_shared() {
    if (core_->forked()) [[unlikely]] { return; }
    leave(core_->id());
    if (auto* order = core_->order()) [[unlikely]] { order->unlocked(index_); }
}

// ---------------------------------------------------------------- writers

// From a dead writer: if it was in, what it wrote may be half done. (If it was killed while it
// waited for readers, or was a reader in turn, nothing was written.)
bool shared_mutex::take_writer_word(layout::member_id me, deadline until) {
    const auto result = word_.try_lock_until(me, until);
    if (result == lock_result::recovered && body_->writing.load(std::memory_order_relaxed) != 0) {
        body_->inconsistent.store(1, std::memory_order_relaxed);
        body_->writing.store(0, std::memory_order_relaxed);
    }
    return result != lock_result::timed_out;
}

bool shared_mutex::all_readers_are_out(look how) {
    const auto slots = core_->slots_ever();
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
        // Sequentially consistent: see enter(). Also acquire: pairs with leave().
        auto holds = readers_[slot].holds.load(std::memory_order_seq_cst);
        if (reader::count_of(holds) == 0) { continue; }
        if (how == look::quick || core_->alive(reader::owner_of(holds))) { return false; }
        // From exactly that dead reader's word: a successor in the slot may count there by now.
        if (!readers_[slot].holds.compare_exchange_strong(holds, 0, std::memory_order_seq_cst)) {
            return false;
        }
    }
    return true;
}

// A writer that has just unlocked would have the word again before a sleeping reader is awake.
// Once, and for a liveness interval at most: so readers in turn don't starve a writer.
void shared_mutex::let_a_reader_in(deadline until) {
    auto first = body_->first_reader.load(std::memory_order_relaxed);
    if (first == 0 || until == deadline::min()) [[likely]] { return; }
    const auto patience = std::min(until, after(core_->liveness_interval()));
    (void)wait_until(body_->turn, *core_, patience, [&](look how) {
        auto& now = body_->first_reader;
        if (now.load(std::memory_order_seq_cst) != first) { return true; }
        return how == look::thorough && !core_->alive(first) &&
               now.compare_exchange_strong(first, 0, std::memory_order_relaxed);
    });
}

bool shared_mutex::write_lock_until(deadline until) {
    const auto me = core_->id();
    let_a_reader_in(until);
    if (!take_writer_word(me, until)) { return false; }
    full_fence_after_rmw();  // sequentially consistent: see enter()
    const bool in = wait_until(body_->drained, *core_, until,
                               [this](look how) { return all_readers_are_out(how); });
    if (!in) {
        word_.unlock(me);
        return false;
    }
    // Killed from here on, we have written.
    body_->writing.store(1, std::memory_order_relaxed);
    return true;
}

void shared_mutex::unlock() {
    if (core_->forked()) [[unlikely]] { return; }
    // Not if others have taken us for dead and are in.
    const auto me = core_->id();
    if (owner_lock::owner_of(body_->writer.load(std::memory_order_relaxed)) == me) {
        body_->writing.store(0, std::memory_order_release);
    }
    word_.unlock(me);
    if (auto* order = core_->order()) [[unlikely]] { order->unlocked(index_); }
}

}  // namespace ringpipe::sync
