// How a run that is under way takes orders: on an abstract Unix socket that is named after it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "common/deadline.hpp"

namespace ringpipe::pipeline {

struct scale_order {
    std::string ring;
    std::string group;
    unsigned copies = 0;
};

// One line for the user.
struct scale_result {
    int exit_code = 0;
    std::string line;
};

// The run's side. Only its own user, and root, may give orders. On the context's thread.
class control {
  public:
    // Called once, sooner or later. Nothing: the ring is not of this run.
    using reply = std::function<void(const std::optional<scale_result>&)>;
    using scaler = std::function<void(const scale_order&, reply)>;

    // If it cannot listen it says so, and the run goes on without it.
    control(boost::asio::io_context& context, const std::string& run, scaler scale);
    control(const control&) = delete;
    control& operator=(const control&) = delete;
    ~control() { close(); }

    // Takes no more orders; who still waits is told that the run has ended.
    void close();

  private:
    class session;
    void accept();
    void accept_later();

    scaler scale_;
    boost::asio::local::stream_protocol::acceptor socket_;
    boost::asio::steady_timer later_;
    std::list<std::weak_ptr<session>> sessions_;
};

// The other side: finds the run whose ring it is, and waits for what comes of it. Throws
// error(not_found) if no run has the ring, error(no_permission) if it is another user's, and
// error(timed_out); the order stands then.
[[nodiscard]] scale_result ask_run(const scale_order& order, deadline until);

}  // namespace ringpipe::pipeline
