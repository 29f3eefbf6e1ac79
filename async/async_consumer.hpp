// The reading end of a ring as an Asio I/O object.
//
//     asio::awaitable<void> work(ringpipe::async_consumer& in) {
//         while (auto message = co_await in.next()) {
//             use(message.text());
//             message.acknowledge();
//         }
//     }
//
// Every async_ function takes any completion token (a callback, use_future, use_awaitable, deferred,
// as_tuple(...)) and honours the handler's executor, allocator and cancellation slot. No function
// waits: what is not there at once is waited for by the process's watcher thread. Handlers are
// called as by post, never from within the call that starts the operation.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "ringpipe/async/consumer_state.hpp"

namespace ringpipe {

// One member of one group, for as many coroutines as wanted. Operations are served in the order in
// which they began. Thread-safe but for move and destruction. After fork() it belongs to the
// parent: the child's operations complete with errc::forked.
//
// A cancelled operation has taken nothing. close(), the destructor and cancel() complete what waits
// with operation_aborted; when the execution context goes first, handlers are destroyed uncalled.
// Leaving the ring takes its group's lock: microseconds, and two seconds at most if a member was
// stopped (SIGSTOP) inside it.
class async_consumer {
  public:
    using executor_type = asio::any_io_executor;

    async_consumer(executor_type executor, const ring& from, const consumer_options& options)
        : state_{std::make_shared<consumer_state>(std::move(executor), from, options)} {}
    // Not by a default argument: GCC 12 destroys such temporaries twice beside a co_await.
    async_consumer(executor_type executor, const ring& from)
        : async_consumer{std::move(executor), from, consumer_options{}} {}
    template <class Context, class... Options>
    requires std::convertible_to<Context&, asio::execution_context&> async_consumer(
        Context& context, const ring& from, const Options&... options)
        : async_consumer{executor_type{context.get_executor()}, from, options...} {}
    async_consumer(async_consumer&&) noexcept = default;
    async_consumer& operator=(async_consumer&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~async_consumer() { close(); }

    [[nodiscard]] executor_type get_executor() const { return state_->executor(); }

    // void(error_code, async_message). At the end: stream_error::end or stream_error::truncated. If
    // all that can be leased is received and not acknowledged, waits until some of it is.
    template <class Token = asio::use_awaitable_t<>>
    auto async_receive(Token&& token = {}) {
        return receive_one(wants::message, std::forward<Token>(token));
    }

    // As async_receive; but the clean end is a message that is false, and no error.
    template <class Token = asio::use_awaitable_t<>>
    auto next(Token&& token = {}) {
        return receive_one(wants::message_or_end, std::forward<Token>(token));
    }

    // void(error_code, async_batch): at least one message, and what else is at hand, up to `most`
    // (at least 1).
    template <class Token = asio::use_awaitable_t<>>
    auto async_receive_batch(std::size_t most, Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code, async_batch)>(
            [](auto handler, std::shared_ptr<consumer_state> state, std::size_t count) {
                async_batch got;
                const auto now = state->try_batch(got, count);
                if (now.complete) {
                    return post_completion(std::move(handler), state->executor(), now.code,
                                           std::move(got));
                }
                start_waiting<async_batch>(*state, wants::batch, count, std::move(handler),
                                           now.needs_a_look);
            },
            token, state_, std::max<std::size_t>(most, 1));
    }

    // void(error_code): a receive would complete at once; with a message, or with the end.
    template <class Token = asio::use_awaitable_t<>>
    auto async_wait_readable(Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code)>(
            [](auto handler, std::shared_ptr<consumer_state> state) {
                const auto now = state->try_readable();
                if (now.complete) {
                    return post_completion(std::move(handler), state->executor(), now.code);
                }
                start_waiting<>(*state, wants::readable, 0, std::move(handler), now.needs_a_look);
            },
            token, state_);
    }

    // void(error_code): the stream has ended, and all is acknowledged; stream_error::truncated if
    // it is not whole. Takes no messages: somebody else has to.
    template <class Token = asio::use_awaitable_t<>>
    auto async_wait_end(Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code)>(
            [](auto handler, std::shared_ptr<consumer_state> state) {
                start_waiting<>(*state, wants::end, 0, std::move(handler), true);
            },
            token, state_);
    }

    void cancel() { state_->cancel(); }

    // Leaves; what is not acknowledged is handed back to the group.
    void close() {
        if (state_) { state_->close(); }
    }

  private:
    template <class... Results, class Handler>
    static void start_waiting(consumer_state& state, wants what, std::size_t most, Handler handler,
                              bool needs_a_look) {
        const auto slot = asio::get_associated_cancellation_slot(handler);
        state.wait(std::make_unique<handled<receive_operation<Results...>, Handler, Results...>>(
                       std::move(handler), state.executor(), receiving{what, most}),
                   slot, needs_a_look);
    }

    template <class Token>
    auto receive_one(wants what, Token&& token) {
        return asio::async_initiate<Token, void(error_code, async_message)>(
            [](auto handler, std::shared_ptr<consumer_state> state, wants wish) {
                async_message got;
                const auto now = state->try_message(got);
                if (now.complete) {
                    return post_completion(std::move(handler), state->executor(), now.code,
                                           std::move(got));
                }
                start_waiting<async_message>(*state, wish, 1, std::move(handler), now.needs_a_look);
            },
            token, state_, what);
    }

    std::shared_ptr<consumer_state> state_;
};

}  // namespace ringpipe
