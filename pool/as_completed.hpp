// How map_as_completed() learns which of its tasks became ready.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "ringpipe/pool/options.hpp"
#include "ringpipe/pool/task_state.hpp"

namespace ringpipe::pool {

// The indices of tasks in the order in which they became ready.
class completed_queue {
  public:
    void push(std::size_t index) {
        const std::lock_guard hold{mutex_};
        ready_.push_back(index);
    }
    [[nodiscard]] bool empty() const {
        const std::lock_guard hold{mutex_};
        return ready_.empty();
    }
    std::size_t take() {
        const std::lock_guard hold{mutex_};
        const auto first = ready_.front();
        ready_.pop_front();
        return first;
    }

  private:
    mutable std::mutex mutex_;
    std::deque<std::size_t> ready_;
};

template <class Result>
class queued_state : public result_state<Result> {
  public:
    queued_state(std::shared_ptr<completed_queue> queue, std::size_t index)
        : result_state<Result>{task_options{}}, queue_{std::move(queue)}, index_{index} {}
    void notify() noexcept override { queue_->push(index_); }

  private:
    std::shared_ptr<completed_queue> queue_;
    std::size_t index_;
};

}  // namespace ringpipe::pool
