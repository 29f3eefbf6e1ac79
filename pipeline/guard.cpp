#include "pipeline/guard.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <vector>

#include "common/error.hpp"

namespace ringpipe::pipeline {
namespace {

// Positive: enroll; negative: release. One write of this size is never mixed with another's.
using order = pid_t;

void send(int fd, order what) noexcept {
    while (::write(fd, &what, sizeof what) < 0 && errno == EINTR) {}
}

// In the guard's process, from here to the end.
[[noreturn]] void watch(int pipe) {
    // Out of reach of the terminal's signals, and of what the launcher has open.
    ::setpgid(0, 0);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) { std::signal(signal, SIG_IGN); }
    ::dup2(pipe, STDIN_FILENO);
    ::close_range(STDOUT_FILENO, std::numeric_limits<unsigned>::max(), 0);

    std::vector<pid_t> groups;
    for (;;) {
        order next = 0;
        const auto size = ::read(STDIN_FILENO, &next, sizeof next);
        if (size < 0 && errno == EINTR) { continue; }
        if (size != sizeof next) { break; }
        if (next > 0) {
            groups.push_back(next);
        } else {
            groups.erase(std::remove(groups.begin(), groups.end(), -next), groups.end());
        }
    }
    for (const auto group : groups) { ::kill(-group, SIGKILL); }
    ::_exit(0);
}

}  // namespace

guard::guard() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) { throw error{errc::io, "cannot make a pipe", errno}; }
    unique_fd from_launcher{ends[0]};
    to_guard_.reset(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) { throw error{errc::io, "cannot start a process", errno}; }
    if (pid_ == 0) { watch(from_launcher.get()); }
}

guard::~guard() {
    to_guard_.reset();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

void guard::enroll_self() const noexcept { send(to_guard_.get(), ::getpid()); }

void guard::release(pid_t group) const noexcept { send(to_guard_.get(), -group); }

}  // namespace ringpipe::pipeline
