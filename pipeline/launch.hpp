// Starts the two sides of a ring, passes signals on, and stays until all of them have ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "pipeline/child.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {

enum class first_side {
    producer,   // consumers follow when it has made the ring
    consumers,  // the producer follows when all of them are attached
    both,
};

struct launch_plan {
    std::string ring;
    std::string producer;  // shell commands, with {ring} and {n}
    std::string consumer;
    unsigned consumers = 1;
    first_side first = first_side::producer;

    // Called now and then with what the ring looks like; may be empty.
    std::function<void(const ring_status&)> watch = {};
};

// The command with the ring's name for {ring} and `number` for {n}.
[[nodiscard]] std::string expand(std::string_view command, std::string_view ring, unsigned number);

// A word for the shell, quoted if it has to be.
[[nodiscard]] std::string shell_word(std::string_view text);

class launch {
  public:
    explicit launch(launch_plan plan);

    // 0, or the exit code of the first command that failed; each failure is said in one line.
    // One side that waits for another that is gone is stopped, which is not its failure.
    [[nodiscard]] int run();

  private:
    void start(side which);
    void ended(const child& who);
    void tick();
    void look();
    void look_at_ring();
    [[nodiscard]] bool second_side_may_start() const;
    void stop_who_waits_in_vain();
    void stop(side which);
    void await_signal();
    void pass_on(int signal);
    void fail(int code);

    [[nodiscard]] bool started(side which) const;
    [[nodiscard]] bool all_ended(side which) const;  // false if none was started
    [[nodiscard]] bool finished();

    guard guard_;  // first: it is forked while there is little to inherit
    launch_plan plan_;
    boost::asio::io_context context_{1};
    boost::asio::steady_timer timer_{context_};
    boost::asio::signal_set signals_{context_};
    std::list<child> children_;
    clock::time_point started_at_ = clock::now();

    std::optional<ring> ring_;
    std::optional<ring_status> status_;

    std::optional<clock::time_point> waits_in_vain_since_;
    std::optional<side> stopped_;
    clock::time_point stopped_at_;
    bool interrupted_ = false;
    int stop_signals_ = 0;
    int last_stop_signal_ = 0;
    int exit_code_ = 0;
};

}  // namespace ringpipe::pipeline
