// The writing end in an event loop: see async_producer.hpp for what it promises, end_state.hpp for
// who may do what.
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "ringpipe/async/end_state.hpp"
#include "ringpipe/async/stream_error.hpp"
#include "ringpipe/shm/producer.hpp"

namespace ringpipe {

// What a producer's operation sends; bytes are the caller's.
struct sending {
    using payload = std::span<const std::byte>;
    struct room {
        std::size_t size;
    };
    std::variant<payload, std::vector<payload>, room> what;

    // With headers.
    [[nodiscard]] std::uint64_t space() const;
};

class send_operation : public operation_with<> {
  public:
    explicit send_operation(sending bytes) : what{std::move(bytes)} {}

    sending what;
};

class producer_state final : public end_state {
  public:
    producer_state(asio::any_io_executor io, const ring& to, const producer_options& options);

    // What can be done without waiting: sent (or an error), or nothing: then wait.
    struct at_once_result {
        bool complete = false;
        error_code code;
    };
    at_once_result try_now(const sending& what);

    using end_state::wait;

    // As close(), and the stream is truncated.
    void abandon();

    std::optional<rest> look() override;

  private:
    bool attempt(const sending& what, deadline until);
    bool attempt_first(std::unique_lock<std::mutex>& hold, std::optional<wait_point>& point);

    void close_end() noexcept override;

    std::shared_ptr<segment> mapped_;  // as long as the watcher may look at a word of it
    std::optional<producer> out_;
    clock::duration interval_;
    bool abandoned_ = false;
};

}  // namespace ringpipe
