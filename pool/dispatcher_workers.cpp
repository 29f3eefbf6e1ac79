// What the dispatcher and those who keep the workers tell each other, and what a pool looks like.
#include "pool/dispatcher.hpp"

#include "pool/errors.hpp"

namespace ringpipe::pool {

void dispatcher::look_after_workers() {
    const auto pending = pending_now();
    if (pending >= workers_) { last_busy_ = clock::now(); }
    if (pending > workers_ && workers_ < max_workers_ && !growing_ && crew_ != nullptr) {
        growing_ = true;
        crew_->grow();
    }
}

void dispatcher::workers_are(std::uint32_t count) {
    const lock held{mutex_};
    workers_ = count;
    growing_ = false;
    window_ = std::max<std::uint64_t>(window_, workers_);
    feed();
    // What was submitted since the crew looked how much there is to do has not asked for more.
    look_after_workers();
}

void dispatcher::worker_gone(std::uint32_t worker, int status, bool died) {
    lock held{mutex_};
    counts_.worker_deaths += died ? 1 : 0;
    for (std::uint32_t slot = 0; slot < max_handed; ++slot) {
        const auto word = board_.claim_of(slot).load(std::memory_order_acquire);
        const auto state = claim::state_of(word);
        if (handed_[slot] == nullptr || claim::worker_of(word) != worker ||
            claim::dispatch_of(word) != handed_[slot]->dispatch_ ||
            (state != claim::begun && state != claim::done)) {
            continue;
        }
        handed_[slot]->death_ = status;
        if (handed_[slot]->orphaned_) { judge(slot); }
    }
    auto& entry = board_.workers()[worker];
    entry.pid = 0;
    entry.dispatch = 0;
    unlock_and_notify(held);
}

void dispatcher::break_pool(const std::string& why) {
    lock held{mutex_};
    if (broken_.empty()) { broken_ = why; }
    fail_everything([this] { return failure_of(errc::pool_broken, broken_); });
    unlock_and_notify(held);
}

void dispatcher::retire_one() {
    const lock held{mutex_};
    if (pending_now() != 0) { return; }
    request_header header{};
    header.kind = request_kind::retire;
    (void)requests_.try_send(std::as_bytes(std::span{&header, 1}));
}

std::uint64_t dispatcher::pending() {
    const lock held{mutex_};
    return pending_now();
}

clock::time_point dispatcher::last_busy() {
    const lock held{mutex_};
    return last_busy_;
}

// ---------------------------------------------------------------- what it looks like

pool_status dispatcher::status() {
    const lock held{mutex_};
    auto now = counts_;
    now.waiting = pending_now();
    for (std::uint32_t slot = 0; slot < max_handed; ++slot) {
        if (handed_[slot] != nullptr && claim::state_of(board_.claim_of(slot).load(
                                            std::memory_order_relaxed)) != claim::handed) {
            ++now.running;
        }
    }
    now.waiting -= now.running;
    now.workers = workers_on(board_);
    return now;
}

void dispatcher::tell_board() {
    auto& header = board_.header();
    header.waiting.store(waiting_.size(), std::memory_order_relaxed);
    header.handed.store(handed_now(), std::memory_order_relaxed);
    header.done.store(counts_.done, std::memory_order_relaxed);
    header.failed.store(counts_.failed, std::memory_order_relaxed);
    header.cancelled.store(counts_.cancelled, std::memory_order_relaxed);
    header.worker_deaths.store(counts_.worker_deaths, std::memory_order_relaxed);
}

}  // namespace ringpipe::pool
