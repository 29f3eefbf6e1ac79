// The tasks that no worker has been given yet, in the pool's order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "ringpipe/pool/task_state.hpp"

namespace ringpipe::pool {

// A task that has been settled meanwhile (cancelled) stays until it is met, and is not counted.
class waiting_tasks {
  public:
    explicit waiting_tasks(task_order order) : order_{order} {}

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

    void push(std::shared_ptr<task_state> one) {
        ++size_;
        all_.push_back(std::move(one));
        if (order_ == task_order::priority) { std::push_heap(all_.begin(), all_.end(), later); }
    }
    // To be the next: it was at a worker already.
    void push_again(std::shared_ptr<task_state> one) {
        if (order_ != task_order::fifo) { return push(std::move(one)); }
        ++size_;
        all_.push_front(std::move(one));
    }
    // Not if empty().
    [[nodiscard]] const std::shared_ptr<task_state>& next() {
        while (front()->phase_ == task_state::phase::settled) { drop_front(); }
        return front();
    }
    void pop() {
        --size_;
        drop_front();
    }
    // One of them was settled.
    void forget_one() {
        if (--size_ == 0) { all_.clear(); }
    }

  private:
    static bool later(const std::shared_ptr<task_state>& a, const std::shared_ptr<task_state>& b) {
        if (a->options_.priority != b->options_.priority) {
            return a->options_.priority < b->options_.priority;
        }
        return a->number_ > b->number_;
    }
    [[nodiscard]] const std::shared_ptr<task_state>& front() const {
        return order_ == task_order::lifo ? all_.back() : all_.front();
    }
    void drop_front() {
        if (order_ == task_order::fifo) { return all_.pop_front(); }
        if (order_ == task_order::priority) { std::pop_heap(all_.begin(), all_.end(), later); }
        all_.pop_back();
    }

    task_order order_;
    std::size_t size_ = 0;
    std::deque<std::shared_ptr<task_state>> all_;
};

}  // namespace ringpipe::pool
