// A shell command between two pipes.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <thread>

#include "common/unique_fd.hpp"

namespace ringpipe::pipeline::stage {

// It dies with the *thread* that started it (PR_SET_PDEATHSIG). Each line of its standard error is
// passed on behind `label`.
class filter {
  public:
    struct pipes {
        bool in = true;   // false: our own standard input
        bool out = true;  // false: our own standard output
    };
    filter(const std::string& command, std::string label, pipes which);
    filter(const filter&) = delete;
    filter& operator=(const filter&) = delete;
    ~filter();  // SIGKILL, if it still runs

    [[nodiscard]] int in() const noexcept { return in_.get(); }    // non-blocking; we write
    [[nodiscard]] int out() const noexcept { return out_.get(); }  // we read
    void close_in() noexcept { in_.reset(); }

    // Waits for its end: its exit code, 128 + N after signal N.
    [[nodiscard]] int wait();
    [[nodiscard]] bool said_something() const noexcept { return said_something_; }  // after wait()

  private:
    void pass_on_errors();

    std::string label_;
    unique_fd in_;
    unique_fd out_;
    unique_fd err_;
    pid_t pid_ = -1;
    std::atomic<bool> ended_{false};
    bool said_something_ = false;
    std::thread errors_;
};

}  // namespace ringpipe::pipeline::stage
