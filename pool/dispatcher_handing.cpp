// From the waiting tasks to the request ring.
#include "pool/dispatcher.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ringpipe::pool {
namespace {

using phase = task_state::phase;

// The workers have so much to do by what was handed to them: long enough to hide our way there,
// short enough for the order of the waiting and for cancelling.
constexpr double handed_ahead = 250e-6;  // seconds

}  // namespace

void dispatcher::feed() {
    while (!waiting_.empty() && hand(waiting_.next(), nullptr)) { waiting_.pop(); }
}

// `request`: as it was just encoded; null: as it is kept in the task. False: not now.
bool dispatcher::hand(const task_ptr& task, encoder* request) {
    if (handed_now() >= window_ || free_slots_.empty()) { return false; }
    if (handed_now() == 0) { last_batch_ = clock::now(); }
    const auto slot = free_slots_.back();
    task->slot_ = slot;
    task->dispatch_ = ++last_dispatch_;
    auto* const bytes = request != nullptr ? request->front() : task->request_.data();
    std::memcpy(bytes + offsetof(request_header, dispatch), &task->dispatch_,
                sizeof(std::uint64_t));
    std::memcpy(bytes + offsetof(request_header, slot), &slot, sizeof(std::uint32_t));
    // Before it is sent: pairs with the worker's compare-exchange.
    board_.claim_of(slot).store(claim::make(claim::handed, task->dispatch_),
                                std::memory_order_release);
    if (request != nullptr && task->options_.max_attempts > 1) {
        task->request_.resize(request->size());
        request->copy_to(task->request_.data());
    }
    if (!send(*task, request)) {
        if (!std::exchange(stalled_, true)) { nudge(); }
        return false;
    }
    stalled_ = false;
    free_slots_.pop_back();
    handed_[slot] = task;
    task->phase_ = phase::handed;
    ++task->attempts_;
    if (task->options_.max_attempts <= 1) { std::vector<std::byte>{}.swap(task->request_); }
    return true;
}

// Never waits: a worker that waits for room among the replies may need us.
bool dispatcher::send(task_state& task, encoder* request) {
    if (request == nullptr) { return requests_.try_send(task.request_); }
    if (const auto bytes = request->one_piece(); !bytes.empty()) {
        return requests_.try_send(bytes);
    }
    auto space = requests_.try_lend(request->size());
    if (!space) { return false; }
    request->copy_to(space.payload().data());
    space.commit();
    return true;
}

void dispatcher::adapt_window(std::uint64_t replies) {
    const auto now = clock::now();
    const std::chrono::duration<double> took = now - std::exchange(last_batch_, now);
    const auto each = took.count() / static_cast<double>(replies);
    seconds_per_task_ += (each - seconds_per_task_) / 4;
    const auto ahead = handed_ahead / std::max(seconds_per_task_, 1e-9);
    window_ = std::clamp(static_cast<std::uint64_t>(std::min(ahead, 1e6)),
                         std::max<std::uint64_t>(workers_, 1), std::uint64_t{max_handed});
}

}  // namespace ringpipe::pool
