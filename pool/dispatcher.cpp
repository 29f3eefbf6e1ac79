// What a pool's users ask for: tasks come, are not wanted any more, and the pool ends.
#include "pool/dispatcher.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/error.hpp"
#include "pool/errors.hpp"

namespace ringpipe::pool {
namespace {

using phase = task_state::phase;

constexpr std::uint64_t submits_between_reads = 64;

}  // namespace

dispatcher::dispatcher(const pool_options& options, std::uint32_t max_workers,
                       std::shared_ptr<board> shared, const ring& requests, const ring& replies)
    : max_workers_{max_workers},
      shared_{std::move(shared)},
      board_{*shared_},
      requests_{requests, {.name = "pool", .resume = {}}},
      largest_request_{requests.max_message_size()},
      keeper_{replies, {.name = "pool", .resume = {}}},
      replies_{replies, {.max_attempts = 0, .name = "pool"}},
      waiting_{options.order} {
    free_slots_.reserve(max_handed);
    for (auto slot = max_handed; slot-- != 0;) { free_slots_.push_back(slot); }
    reader_ = std::thread{[this] { reader(); }};
}

dispatcher::~dispatcher() { stop_reading(); }

void dispatcher::use(crew* workers) {
    const lock held{mutex_};
    crew_ = workers;
}

// ---------------------------------------------------------------- tasks come

void dispatcher::submit(const task_ptr& task, encoder& request) {
    if (request.size() > largest_request_) {
        throw error{errc::message_too_large,
                    fmt::format("cannot submit a task with arguments of {} bytes: the pool's "
                                "request ring takes {}; make the pool with more request_bytes",
                                request.size(), largest_request_)};
    }
    lock held{mutex_};
    refuse_if_over();
    task->number_ = ++last_number_;
    const bool at_once = waiting_.empty() && hand(task, &request);
    if (!at_once) {
        if (task->request_.empty()) {
            task->request_.resize(request.size());
            request.copy_to(task->request_.data());
        }
        waiting_.push(task);
        // What this thread does meanwhile nobody else has to be woken for.
        if (!reading_ && last_number_ % submits_between_reads == 0) {
            read(deadline::min(), held, nullptr);
        }
    }
    if (task->options_.until != never && crew_ != nullptr) { crew_->watch(task); }
    look_after_workers();
    if (parked_) {
        parked_ = false;
        unpark_.notify_one();
    }
    unlock_and_notify(held);
}

void dispatcher::refuse_if_over() const {
    if (!broken_.empty()) { throw error{errc::pool_broken, broken_}; }
    if (closed_) {
        throw error{errc::closed, "cannot submit to this pool: it was shut down; make a new one"};
    }
}

// ---------------------------------------------------------------- tasks are not wanted any more

bool dispatcher::cancel(task_state& task, std::exception_ptr why) {
    lock held{mutex_};
    task_ptr taken;
    if (task.phase_ == phase::handed) {
        auto expected = claim::make(claim::handed, task.dispatch_);
        if (!board_.claim_of(task.slot_)
                 .compare_exchange_strong(expected,
                                          claim::make(claim::cancelled, task.dispatch_))) {
            return false;
        }
        taken = take_handed(task.slot_);
    } else if (task.phase_ == phase::waiting) {
        taken = task.shared_from_this();
        waiting_.forget_one();
    } else {
        return false;
    }
    ++counts_.cancelled;
    if (!why) { why = failure_of(errc::task_cancelled, "the task was cancelled before it began"); }
    settle(taken, std::move(why));
    feed();
    unlock_and_notify(held);
    return true;
}

void dispatcher::expire(task_state& task) {
    lock held{mutex_};
    const char* what = "waited";
    task_ptr taken;
    if (task.phase_ == phase::handed) {
        auto& word = board_.claim_of(task.slot_);
        auto now = word.load(std::memory_order_acquire);
        for (;;) {
            if (claim::dispatch_of(now) != task.dispatch_) { return; }
            const bool begun = claim::state_of(now) == claim::begun;
            if (!begun && claim::state_of(now) != claim::handed) { return; }  // the reply is near
            const auto worker = claim::worker_of(now);
            // From here on its worker cannot go on to another task: it finds this, and stays.
            if (word.compare_exchange_weak(
                    now, claim::make(begun ? claim::doomed : claim::cancelled, task.dispatch_,
                                     worker))) {
                if (begun) {
                    what = "ran, and its worker was killed";
                    if (crew_ != nullptr) {
                        crew_->kill(worker, board_.workers()[worker].pid.load());
                    }
                }
                break;
            }
        }
        taken = take_handed(task.slot_);
    } else if (task.phase_ == phase::waiting) {
        taken = task.shared_from_this();
        waiting_.forget_one();
    } else {
        return;
    }
    ++counts_.failed;
    settle(taken, failure_of(errc::timed_out,
                             fmt::format("the task's deadline was over while it {}", what)));
    feed();
    unlock_and_notify(held);
}

// ---------------------------------------------------------------- the pool ends

void dispatcher::close() {
    const lock held{mutex_};
    closed_ = true;
}

void dispatcher::drain() {
    (void)wait([this] { return pending_now() == 0; }, never);
}

void dispatcher::fail_all(const std::function<std::exception_ptr()>& why) {
    lock held{mutex_};
    fail_everything(why);
    unlock_and_notify(held);
}

void dispatcher::fail_everything(const std::function<std::exception_ptr()>& why) {
    while (!waiting_.empty()) {
        const auto task = waiting_.next();
        waiting_.pop();
        ++counts_.cancelled;
        settle(task, why());
    }
    for (std::uint32_t slot = 0; slot < max_handed; ++slot) {
        if (handed_[slot] == nullptr) { continue; }
        ++counts_.failed;
        settle(take_handed(slot), why());
    }
}

void dispatcher::end_requests() {
    const lock held{mutex_};
    requests_.close();
}

void dispatcher::stop_reading() {
    {
        const lock held{mutex_};
        stopping_ = true;
        unpark_.notify_all();
        nudge();
    }
    if (reader_.joinable()) { reader_.join(); }
}

}  // namespace ringpipe::pool
