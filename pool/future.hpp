// What a submitted task will have returned.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/pool/dispatcher.hpp"
#include "ringpipe/pool/task_state.hpp"

namespace ringpipe::pool {

// One at a time: not to be used by two threads at once. Dropping it leaves the task alone. It
// may outlive its pool: by then it is ready.
template <class Result>
class future {
  public:
    future() = default;
    future(std::shared_ptr<result_state<Result>> state, std::shared_ptr<dispatcher> tasks)
        : state_{std::move(state)}, tasks_{std::move(tasks)} {}

    [[nodiscard]] bool valid() const { return state_ != nullptr; }
    [[nodiscard]] bool ready() const { return state_->ready(); }

    // Waits, then gives the value, once. Throws task_exception (what the task threw),
    // worker_died, error(task_cancelled), error(timed_out), error(pool_broken),
    // error(closed: the pool was shut down before it was done).
    Result get() {
        wait();
        attempts_ = state_->attempts_;
        tasks_.reset();
        return std::exchange(state_, nullptr)->take();
    }

    void wait() const { (void)tasks_->wait(*state_, never); }
    template <class Rep, class Period>
    [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> timeout) const {
        return wait_until(after(timeout));
    }
    // False: not ready at the deadline.
    [[nodiscard]] bool wait_until(deadline until) const { return tasks_->wait(*state_, until); }

    // False: it has begun, or is done; then nothing changes.
    bool cancel() { return tasks_->cancel(*state_); }

    // How many workers have begun it: more than 1 only with task_options::max_attempts. When ready.
    [[nodiscard]] std::uint32_t attempts() const { return state_ ? state_->attempts_ : attempts_; }

  private:
    std::shared_ptr<result_state<Result>> state_;
    std::shared_ptr<dispatcher> tasks_;
    std::uint32_t attempts_ = 0;
};

}  // namespace ringpipe::pool
