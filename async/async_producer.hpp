// The writing end of a ring as an Asio I/O object. See async_consumer.hpp for what holds for both.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "ringpipe/async/producer_state.hpp"

namespace ringpipe {

// One member of the ring, for as many coroutines as wanted; sends happen in the order in which they
// began. Thread-safe but for move and destruction. A send that completed without error has
// happened; one that was cancelled has not. The bytes have to stay until the operation completes.
class async_producer {
  public:
    using executor_type = asio::any_io_executor;
    using payload = std::span<const std::byte>;

    async_producer(executor_type executor, const ring& to, const producer_options& options)
        : state_{std::make_shared<producer_state>(std::move(executor), to, options)} {}
    // Not by a default argument: GCC 12 destroys such temporaries twice beside a co_await.
    async_producer(executor_type executor, const ring& to)
        : async_producer{std::move(executor), to, producer_options{}} {}
    template <class Context, class... Options>
    requires std::convertible_to<Context&, asio::execution_context&> async_producer(
        Context& context, const ring& to, const Options&... options)
        : async_producer{executor_type{context.get_executor()}, to, options...} {}
    async_producer(async_producer&&) noexcept = default;
    async_producer& operator=(async_producer&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    // Leaves as close() does; while an exception unwinds the stack, as abandon() does.
    ~async_producer() {
        if (state_ && std::uncaught_exceptions() > exceptions_at_start_) {
            abandon();
        } else {
            close();
        }
    }

    [[nodiscard]] executor_type get_executor() const { return state_->executor(); }

    // void(error_code): waits for room.
    template <class Token = asio::use_awaitable_t<>>
    auto async_send(payload bytes, Token&& token = {}) {
        return start(sending{bytes}, std::forward<Token>(token));
    }
    template <class Token = asio::use_awaitable_t<>>
    auto async_send(std::string_view text, Token&& token = {}) {
        return async_send(std::as_bytes(std::span{text}), std::forward<Token>(token));
    }

    // void(error_code): all of them, one behind the other, or none. The span itself is copied.
    template <class Token = asio::use_awaitable_t<>>
    auto async_send_batch(std::span<const payload> payloads, Token&& token = {}) {
        return start(sending{std::vector<payload>{payloads.begin(), payloads.end()}},
                     std::forward<Token>(token));
    }

    // void(error_code): there was room for a message of that size, if no other producer takes it.
    template <class Token = asio::use_awaitable_t<>>
    auto async_wait_writable(std::size_t size, Token&& token = {}) {
        return start(sending{sending::room{size}}, std::forward<Token>(token));
    }

    void cancel() { state_->cancel(); }

    // Leaves: this producer's part of the stream is complete. What still waits is not sent.
    void close() {
        if (state_) { state_->close(); }
    }

    // Leaves: the stream is incomplete, and every group will be told so at its end.
    void abandon() {
        if (state_) { state_->abandon(); }
    }

  private:
    template <class Token>
    auto start(sending what, Token&& token) {
        return asio::async_initiate<Token, void(error_code)>(
            [](auto handler, std::shared_ptr<producer_state> state, sending bytes) {
                const auto now = state->try_now(bytes);
                if (now.complete) {
                    return post_completion(std::move(handler), state->executor(), now.code);
                }
                const auto slot = asio::get_associated_cancellation_slot(handler);
                using send = handled<send_operation, decltype(handler)>;
                state->wait(
                    std::make_unique<send>(std::move(handler), state->executor(), std::move(bytes)),
                    slot, true);
            },
            token, state_, std::move(what));
    }

    std::shared_ptr<producer_state> state_;
    int exceptions_at_start_ = std::uncaught_exceptions();
};

}  // namespace ringpipe
