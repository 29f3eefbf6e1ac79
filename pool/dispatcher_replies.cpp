// From the reply ring to the futures: who reads it, and what becomes of what has come.
#include "pool/dispatcher.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/error.hpp"
#include "pool/errors.hpp"

namespace ringpipe::pool {
namespace {

using namespace std::chrono_literals;
using phase = task_state::phase;

// Whoever sleeps in the ring is woken by it after a liveness interval anyhow.
constexpr std::chrono::milliseconds longest_read{50};
constexpr std::chrono::milliseconds stalled_nap{1};
constexpr auto reader_nap = 1ms;
constexpr int naps_before_parking = 16;

std::exception_ptr decode_exception(std::span<const std::byte> body) {
    try {
        decoder from{body};
        auto type = from.get<std::string>();
        return std::make_exception_ptr(task_exception{std::move(type), from.get<std::string>()});
    } catch (const error&) { return std::current_exception(); }
}

}  // namespace

// ---------------------------------------------------------------- who reads

bool dispatcher::wait(const std::function<bool()>& done, deadline until) {
    lock held{mutex_};
    while (!done()) {
        if (!reading_ && !stopping_) {
            read(until, held, &done);
        } else {
            ++waiters_;
            if (until == never) {
                changed_.wait(held);
            } else {
                changed_.wait_until(held, until);
            }
            --waiters_;
        }
        if (clock::now() >= until) { return done(); }
    }
    return true;
}

// Reads where nobody waits for a future: for the tasks that nobody asks for yet. It looks in every
// millisecond as long as others read, and sleeps when nothing is pending.
void dispatcher::reader() {
    lock held{mutex_};
    auto seen = reads_;
    int quiet = 0;
    while (!stopping_) {
        if (pending_now() == 0) {
            if (++quiet < naps_before_parking) {
                unpark_.wait_for(held, reader_nap);
            } else {
                parked_ = true;
                unpark_.wait(held, [this] { return !parked_ || stopping_; });
                quiet = 0;
            }
            continue;
        }
        quiet = 0;
        if (handed_now() == 0) { feed(); }
        if (reading_ || waiters_ != 0 || reads_ != seen) {
            seen = reads_;
            unpark_.wait_for(held, reader_nap);
            continue;
        }
        read(never, held, nullptr);
        seen = reads_;
    }
}

// Becomes the one who reads: until `done`, or, if that is null, once.
void dispatcher::read(deadline until, lock& held, const std::function<bool()>* done) {
    reading_ = true;
    ++reads_;
    do {
        // Not for ever: what the requests had no room for, or no lock, is tried again; and a nudge
        // may have been lost.
        const auto slice = std::min(until, clock::now() + (stalled_ ? stalled_nap : longest_read));
        held.unlock();
        std::uint64_t replies = 0;
        auto one = replies_.receive_until(slice);
        while (one) {
            process(one);
            replies_.acknowledge(one);
            if (++replies == 256 || !replies_.at_hand()) { break; }
            one = replies_.try_receive();
        }
        held.lock();
        if (replies != 0) { adapt_window(replies); }
        feed();
        if (replies == 0) { continue; }
        tell_board();
        if (waiters_ != 0) { changed_.notify_all(); }
    } while (done != nullptr && !(*done)() && clock::now() < until);
    reading_ = false;
    // Whoever still waits: one of them reads on.
    if (waiters_ != 0) { changed_.notify_all(); }
}

// ---------------------------------------------------------------- what has come

void dispatcher::process(const message& one) {
    reply_header header{};
    if (one.payload().size() < sizeof header) { return; }
    std::memcpy(&header, one.payload().data(), sizeof header);
    switch (header.kind) {
        case reply_kind::value:
        case reply_kind::exception: return take_reply(header, one.payload());
        case reply_kind::orphan: return take_orphan(header);
        case reply_kind::nudge: return;
    }
}

void dispatcher::take_reply(const reply_header& header, std::span<const std::byte> body) {
    const bool good = header.kind == reply_kind::value;
    task_ptr task;
    {
        const lock held{mutex_};
        if (header.slot >= max_handed || handed_[header.slot] == nullptr ||
            handed_[header.slot]->dispatch_ != header.dispatch) {
            return;  // settled already: its deadline was over
        }
        task = take_handed(header.slot);
        task->phase_ = phase::settled;
        ++(good ? counts_.done : counts_.failed);
    }
    // Outside of the lock: a type of the user's is decoded here.
    if (good) {
        task->keep_result(body);
    } else {
        task->keep_failure(decode_exception(body.subspan(sizeof header)));
    }
    // Those who wait are told when the lock is taken next.
    task->make_ready();
    task->notify();
}

// The replies have one order: whatever the dead worker sent stands before this. So the task is
// either settled, or will never be answered.
void dispatcher::take_orphan(const reply_header& header) {
    lock held{mutex_};
    if (header.slot >= max_handed || handed_[header.slot] == nullptr ||
        handed_[header.slot]->dispatch_ != header.dispatch) {
        return;
    }
    auto& task = *handed_[header.slot];
    task.orphaned_ = true;
    // How its worker ended is known when the crew has buried it.
    if (task.death_) { judge(header.slot); }
    unlock_and_notify(held);
}

void dispatcher::judge(std::uint32_t slot) {
    const auto task = take_handed(slot);
    if (task->attempts_ < task->options_.max_attempts && broken_.empty()) {
        task->phase_ = phase::waiting;
        task->orphaned_ = false;
        task->death_.reset();
        waiting_.push_again(task);
        feed();
        return;
    }
    ++counts_.failed;
    settle(task, std::make_exception_ptr(worker_died{*task->death_, task->attempts_}));
}

// ---------------------------------------------------------------- a task is settled

dispatcher::task_ptr dispatcher::take_handed(std::uint32_t slot) {
    free_slots_.push_back(slot);
    return std::move(handed_[slot]);
}

void dispatcher::settle(const task_ptr& task, std::exception_ptr failure) {
    task->phase_ = phase::settled;
    task->keep_failure(std::move(failure));
    task->make_ready();
    to_notify_.push_back(task);
}

void dispatcher::unlock_and_notify(lock& held) {
    const auto settled = std::exchange(to_notify_, {});
    tell_board();
    held.unlock();
    if (settled.empty()) { return; }
    for (const auto& task : settled) { task->notify(); }
    held.lock();
    if (waiters_ != 0) { changed_.notify_all(); }
    nudge();
    held.unlock();
}

// Whoever sleeps in the reply ring may wait for what has just been settled elsewhere.
void dispatcher::nudge() {
    if (!reading_) { return; }
    reply_header header{};
    header.kind = reply_kind::nudge;
    // No room, or another sender at work: then the one who reads has something to wake up for.
    (void)keeper_.try_send(std::as_bytes(std::span{&header, 1}));
}

}  // namespace ringpipe::pool
