// A task as an asynchronous operation of Boost.Asio.
//
//     int nine = co_await pool::async_submit(pool, pool::call(square, 3), asio::use_awaitable);
//
// Any completion token; the signature is void(std::exception_ptr, Result), and
// void(std::exception_ptr) for a task without result. The handler is posted to its associated
// executor, never called from here. Dropping the operation does not cancel the task.
//
// A cancellation (any type) by the handler's slot is future::cancel(): a task that has not begun
// never will, and completes with operation_aborted (a boost::system::system_error); one that has
// begun goes on, and its result comes. So
//
//     auto first = co_await (pool::async_submit(pool, ...) || timer.async_wait(asio::use_awaitable));
//
// ends with the timer only if the task has not begun by then. To stop one that runs too long, give
// it a deadline (task_options::until): that one ends its worker.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "ringpipe/pool/process_pool.hpp"

namespace ringpipe::pool {

namespace detail {

template <class Result>
struct completion {
    using signature = void(std::exception_ptr, Result);
};
template <>
struct completion<void> {
    using signature = void(std::exception_ptr);
};

// Keeps the handler, and its executor at work, until the task is ready.
template <class Result, class Handler>
class handled_state : public result_state<Result> {
  public:
    handled_state(const task_options& options, Handler handler)
        : result_state<Result>{options},
          work_{boost::asio::make_work_guard(boost::asio::get_associated_executor(handler))},
          handler_{std::move(handler)} {}

    // Before it is submitted: from then on it may be completed, and the slot cleared, elsewhere.
    // The slot's owner may outlive the pool; what was settled by then stays settled.
    void listen(const std::shared_ptr<dispatcher>& tasks) {
        auto slot = boost::asio::get_associated_cancellation_slot(*handler_);
        if (!slot.is_connected()) { return; }
        slot.assign([task = this->weak_from_this(),
                     tasks = std::weak_ptr{tasks}](boost::asio::cancellation_type) {
            const auto what = task.lock();
            const auto where = tasks.lock();
            if (!what || !where) { return; }
            (void)where->cancel(*what, std::make_exception_ptr(boost::system::system_error{
                                           boost::asio::error::operation_aborted}));
        });
    }
    void stop_listening() {
        auto slot = boost::asio::get_associated_cancellation_slot(*handler_);
        if (slot.is_connected()) { slot.clear(); }
    }

    // On the thread that happens to read the replies, or that cancels: only posts.
    void notify() noexcept override {
        auto executor = work_->get_executor();
        auto self = std::static_pointer_cast<handled_state>(this->shared_from_this());
        boost::asio::post(executor, [self = std::move(self)] { self->complete(); });
        work_.reset();
    }

  private:
    void complete() {
        stop_listening();
        auto handler = std::move(*handler_);
        handler_.reset();
        if constexpr (std::is_void_v<Result>) {
            std::move(handler)(this->take_failure());
        } else if (this->failure_) {
            std::move(handler)(this->take_failure(), Result{});
        } else {
            std::move(handler)(nullptr, this->take());
        }
    }

    std::optional<boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>>>
        work_;
    std::optional<Handler> handler_;
};

}  // namespace detail

// Errors of the submit itself (error(closed), error(pool_broken), error(message_too_large)) are
// thrown by this call. `in` has to be there until then only.
template <class Result, class Token = boost::asio::use_awaitable_t<>>
auto async_submit(process_pool& in, bound_call<Result> what, Token&& token = {},
                  const task_options& options = {}) {
    return boost::asio::async_initiate<Token, typename detail::completion<Result>::signature>(
        [&in, options](auto handler, bound_call<Result> bound) {
            using state = detail::handled_state<Result, decltype(handler)>;
            const auto task = std::make_shared<state>(options, std::move(handler));
            task->listen(in.tasks());
            try {
                in.submit(task, bound.request);
            } catch (...) {
                task->stop_listening();
                throw;
            }
        },
        token, std::move(what));
}

}  // namespace ringpipe::pool
