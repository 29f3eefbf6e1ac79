#include "tests/support/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <stdexcept>

#include "tests/support/processes.hpp"

namespace ringpipe::test {

void in_child::tell(char what) const {
    if (::write(report_, &what, 1) != 1) { ::_exit(98); }
}

void in_child::wait_for_go() const {
    char order = 0;
    if (::read(orders_, &order, 1) != 1) { ::_exit(97); }
}

void in_child::tell_and_stay() const {
    tell();
    wait_for_go();
    ::_exit(96);
}

child::child(const std::function<int(const in_child&)>& body) {
    int reports[2];
    int orders[2];
    if (::pipe2(reports, O_CLOEXEC) != 0 || ::pipe2(orders, O_CLOEXEC) != 0) {
        throw std::runtime_error{"pipe2 failed"};
    }
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) { throw std::runtime_error{"fork failed"}; }
    if (pid_ == 0) {
        ::close(reports[0]);
        ::close(orders[1]);
        int code = 99;
        try {
            code = body(in_child{reports[1], orders[0]});
        } catch (const std::exception& e) {
            std::fprintf(stderr, "in a child of the test: %s\n", e.what());
        }
        std::fflush(nullptr);
        ::_exit(code);
    }
    ::close(reports[1]);
    ::close(orders[0]);
    reports_.reset(reports[0]);
    orders_.reset(orders[1]);
}

child::~child() { kill(); }

std::optional<char> child::await(std::chrono::milliseconds timeout) const {
    pollfd readable{reports_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(timeout.count())) != 1) { return std::nullopt; }
    char what = 0;
    if (::read(reports_.get(), &what, 1) != 1) { return std::nullopt; }
    return what;
}

void child::go() const {
    const char order = '!';
    if (::write(orders_.get(), &order, 1) != 1) { throw std::runtime_error{"the child is gone"}; }
}

void child::kill_without_reaping() {
    ::kill(pid_, SIGKILL);
    siginfo_t about{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &about, WEXITED | WNOWAIT);
}

void child::kill() {
    if (!running_) { return; }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    running_ = false;
}

int child::wait(std::chrono::milliseconds timeout) {
    if (!ends_within(timeout, pid_)) { return -1000; }
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) { return -1000; }
    running_ = false;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace ringpipe::test
