// One shell command, running.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <string>
#include <vector>

#include "pipeline/guard.hpp"

namespace ringpipe::pipeline {

enum class side { producer, consumer };

struct shell_command {
    side role = side::producer;
    std::string label;                     // as messages call it: "producer", "consumer 2"
    std::string text;                      // for /bin/sh -c
    std::vector<std::string> environment;  // "NAME=VALUE", all of it
};

// The shell and what it starts are a process group of their own, so that a signal reaches all of
// `a | b`, and the guard ends all of it should the launcher be killed. Only a producer that reads
// a terminal stays in the launcher's group, as others may not read there: its shell dies with the
// launcher (PR_SET_PDEATHSIG), and gets its signals.
class child {
  public:
    // `on_end` comes when the shell has ended; what it left behind may still run, see gone().
    child(boost::asio::io_context& context, const guard& guarded_by, shell_command what,
          std::function<void()> on_end);
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child();  // SIGKILL to what still runs

    [[nodiscard]] const shell_command& what() const noexcept { return what_; }
    [[nodiscard]] bool ended() const noexcept { return ended_; }

    // Whether all processes of the group have ended, too.
    [[nodiscard]] bool gone();

    void signal(int number) noexcept;

    // Not to what it has started: to the shell, or what it has become by `exec`.
    void signal_alone(int number) noexcept;

    // As a shell says it: 128 + signal for one that a signal killed. Only after the end.
    [[nodiscard]] int exit_code() const noexcept;

    [[nodiscard]] bool killed_by(int signal) const noexcept;

    // "exit code 65 (bad data)", "killed by signal 9 (KILL)".
    [[nodiscard]] std::string how_it_ended() const;

  private:
    void wait_for_end();

    shell_command what_;
    const guard* guard_;
    bool own_group_;
    pid_t pid_;
    std::function<void()> on_end_;
    boost::asio::posix::stream_descriptor end_;  // a pidfd: readable at the end
    int status_ = 0;                             // as waitpid() says it
    bool ended_ = false;
    bool gone_ = false;
};

}  // namespace ringpipe::pipeline
