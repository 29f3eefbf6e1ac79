// An operation that waits: a completion handler of any kind, and the work that it stands for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <utility>

namespace ringpipe {

namespace asio = boost::asio;
using boost::system::error_code;

// To the handler's own executor, as by post: never from within the initiating function.
template <class Handler, class... Results>
void post_completion(Handler&& handler, const asio::any_io_executor& io, Results&&... results) {
    auto executor = asio::get_associated_executor(handler, io);
    asio::post(executor,
               asio::append(std::forward<Handler>(handler), std::forward<Results>(results)...));
}

// Destroyed without complete(): the handler is destroyed and not called.
class operation {
  public:
    operation() = default;
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;
    virtual ~operation() = default;

    // With empty results. At most once; then the operation is only fit to be destroyed.
    virtual void complete(error_code code) = 0;

    // Whoever serves it says that it cannot be cancelled just now (its buffer is being read).
    bool in_flight = false;
    bool cancelled = false;  // while it was in flight
};

template <class... Results>
class operation_with : public operation {
  public:
    void complete(error_code code) override { complete_with(code, Results{}...); }
    virtual void complete_with(error_code code, Results... results) = 0;
};

// A `Base` (an operation_with<Results...>) for this handler.
template <class Base, class Handler, class... Results>
class handled final : public Base {
  public:
    template <class... Arguments>
    handled(Handler handler, const asio::any_io_executor& io, Arguments&&... arguments)
        : Base{std::forward<Arguments>(arguments)...},
          handler_{std::move(handler)},
          io_work_{io},
          handler_work_{asio::get_associated_executor(handler_, io)} {}

    void complete_with(error_code code, Results... results) override {
        post_completion(std::move(handler_), io_work_.get_executor(), code, std::move(results)...);
    }

  private:
    Handler handler_;
    // Both contexts keep running while the operation is outstanding.
    asio::executor_work_guard<asio::any_io_executor> io_work_;
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>>
        handler_work_;
};

}  // namespace ringpipe
