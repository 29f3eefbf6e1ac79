// The reading end in an event loop: see async_consumer.hpp for what it promises, end_state.hpp for
// who may do what.
#pragma once

#include <optional>
#include <vector>

#include "ringpipe/async/end_state.hpp"
#include "ringpipe/async/finished_prefix.hpp"
#include "ringpipe/async/received.hpp"
#include "ringpipe/async/stream_error.hpp"
#include "ringpipe/shm/consumer.hpp"

namespace ringpipe {

enum class wants { message, message_or_end, batch, readable, end };

// What a consumer's operation is to be given.
struct receiving {
    wants what;
    std::size_t most;
};

template <class... Results>
class receive_operation : public operation_with<Results...>, public receiving {
  public:
    explicit receive_operation(receiving wish) : receiving{wish} {}
};

class consumer_state final : public end_state {
  public:
    consumer_state(asio::any_io_executor io, const ring& from, const consumer_options& options);

    // What can be had without waiting: a result, an error, or nothing (then wait).
    struct at_once_result {
        bool complete = false;
        bool needs_a_look = true;  // the watcher has something to do that we may not
        error_code code;
    };
    at_once_result try_message(async_message& into);
    at_once_result try_batch(async_batch& into, std::size_t most);
    at_once_result try_readable();

    using end_state::wait;

    // Of a receipt.
    void settle(std::uint64_t ticket, finished_prefix::fate how, std::vector<message> given_back);

    std::optional<rest> look() override;

  private:
    struct findings {
        receive_status status = receive_status::timed_out;
        error_code code;
        bool unacknowledged = false;
    };

    [[nodiscard]] std::shared_ptr<consumer_state> self();
    template <class Take>
    at_once_result try_now(Take take);
    [[nodiscard]] bool lease_at_once();
    [[nodiscard]] async_message take_message();
    [[nodiscard]] async_batch take_batch(std::size_t most);

    findings look_thoroughly(bool for_messages);
    void give_back_first(std::unique_lock<std::mutex>& hold);
    bool acknowledge_prefix();  // true: it has moved
    void serve();
    void serve_one(operation& op);
    void tell_end(receive_status how);
    [[nodiscard]] bool messages_wanted() const;

    void close_end() noexcept override;

    std::shared_ptr<segment> mapped_;  // as long as the watcher may look at a word of it
    std::optional<consumer> in_;
    clock::duration interval_;
    finished_prefix finished_;
    bool must_release_ = false;       // a producer waits for what we have acknowledged
    bool needs_acknowledge_ = false;  // nothing more can be leased before
};

}  // namespace ringpipe
