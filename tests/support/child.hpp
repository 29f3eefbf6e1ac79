// A real process, forked, that tells when it has reached a state and can be killed there.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>

#include "common/unique_fd.hpp"

namespace ringpipe::test {

// What the child's body gets.
class in_child {
  public:
    in_child(int report, int orders) : report_{report}, orders_{orders} {}

    // Tells the parent that the state it waits for is reached.
    void tell(char what = '!') const;
    // Waits until the parent says go; ends the process if the parent is gone.
    void wait_for_go() const;
    // Tells, and stays there until killed (or until the test is over).
    [[noreturn]] void tell_and_stay() const;

  private:
    int report_;
    int orders_;
};

// Killed and reaped when it goes out of scope. The body's return value is the exit code; an
// exception is printed and ends with 99. The child never returns into the test.
class child {
  public:
    explicit child(const std::function<int(const in_child&)>& body);
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child();

    [[nodiscard]] pid_t pid() const { return pid_; }
    // What the child told; nothing if it ended or `timeout` is over.
    [[nodiscard]] std::optional<char> await(
        std::chrono::milliseconds timeout = std::chrono::seconds{20}) const;
    void go() const;
    // SIGKILL, and wait until it is gone.
    void kill();
    // SIGKILL, but leaves the zombie: dead, and not yet reaped.
    void kill_without_reaping();
    // Waits for its end: the exit code, or -signal; -1000 if it does not end.
    [[nodiscard]] int wait(std::chrono::milliseconds timeout = std::chrono::seconds{20});

  private:
    pid_t pid_ = -1;
    bool running_ = true;
    unique_fd reports_;
    unique_fd orders_;
};

}  // namespace ringpipe::test
