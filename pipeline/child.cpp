#include "pipeline/child.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/failed_exec.hpp"
#include "common/tie_to_parent.hpp"

namespace ringpipe::pipeline {
namespace {

namespace bp = boost::process::v2;

// An initializer of Boost.Process: runs in the child, between fork and exec.
struct tied_to_launcher {
    pid_t launcher;
    const guard* enrolled_at;  // null: stays in the launcher's group

    template <class Launcher>
    bp::error_code on_exec_setup(Launcher&, const std::filesystem::path&,
                                 const char* const*&) const {
        if (enrolled_at != nullptr) {
            if (::setpgid(0, 0) != 0) { return {errno, boost::system::system_category()}; }
            enrolled_at->enroll_self();
        }
        return {tie_to_parent(launcher, EX_UNAVAILABLE), boost::system::system_category()};
    }
};

pid_t start(boost::asio::io_context& context, const shell_command& what, const guard* enrolled_at) {
    const std::vector<std::string> arguments{"-c", what.text};
    // Not const: Boost.Process calls only what it may change, and silently leaves out the rest.
    bp::process_environment environment{what.environment};
    const tied_to_launcher tie{::getpid(), enrolled_at};
    // Two consumers must not fight for the input, and it is the producer that has a use for it.
    auto started =
        what.role == side::consumer
            ? bp::process{context,
                          "/bin/sh",
                          arguments,
                          environment,
                          bp::process_stdio{nullptr, {}, {}},
                          tie,
                          ends_unless_executed{}}
            : bp::process{context, "/bin/sh", arguments, environment, tie, ends_unless_executed{}};
    const auto pid = started.id();
    started.detach();
    return pid;
}

// What a shell, sysexits.h or our own programs mean by it.
std::string_view meaning_of(int exit_code) {
    switch (exit_code) {
        case 3: return "a truncated stream";
        case EX_USAGE: return "wrong usage";
        case EX_DATAERR: return "bad data";
        case EX_NOINPUT: return "no input";
        case EX_UNAVAILABLE: return "unavailable";
        case EX_SOFTWARE: return "internal error";
        case EX_CANTCREAT: return "cannot create";
        case EX_IOERR: return "input/output error";
        case EX_TEMPFAIL: return "timed out";
        case EX_NOPERM: return "no permission";
        case EX_CONFIG: return "not such a ring";
        case 126: return "cannot be executed";
        case 127: return "command not found";
        default: return "";
    }
}

}  // namespace

child::child(boost::asio::io_context& context, const guard& guarded_by, shell_command what,
             std::function<void()> on_end)
    : what_{std::move(what)},
      guard_{&guarded_by},
      own_group_{what_.role == side::consumer || ::isatty(STDIN_FILENO) == 0},
      pid_{start(context, what_, own_group_ ? guard_ : nullptr)},
      on_end_{std::move(on_end)},
      end_{context} {
    const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (fd < 0) {
        const int failed = errno;
        signal(SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        throw error{errc::io, "cannot watch a command (pidfd_open needs Linux 5.3)", failed};
    }
    end_.assign(fd);
    wait_for_end();
}

// Not process::async_wait of Boost.Process 1.81: that one may block in waitpid() when it is woken
// for a process that lives.
void child::wait_for_end() {
    end_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this](boost::system::error_code failed) {
                        if (failed) { return; }  // we are gone
                        if (::waitpid(pid_, &status_, WNOHANG) == 0) { return wait_for_end(); }
                        ended_ = true;
                        on_end_();
                    });
}

child::~child() {
    if (!gone()) { signal(SIGKILL); }
    if (!ended_) { ::waitpid(pid_, nullptr, 0); }
}

bool child::gone() {
    if (!ended_ || gone_) { return gone_; }
    if (own_group_) {
        // The launcher is a subreaper: orphans of the group are its children, and it buries them.
        while (::waitpid(-pid_, nullptr, WNOHANG) > 0) {}
        if (::kill(-pid_, 0) == 0) { return false; }
        guard_->release(pid_);
    }
    return gone_ = true;
}

void child::signal(int number) noexcept {
    if (!gone_) { ::kill(own_group_ ? -pid_ : pid_, number); }
}

void child::signal_alone(int number) noexcept {
    if (!ended_) { ::kill(pid_, number); }
}

int child::exit_code() const noexcept {
    const int status = status_;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool child::killed_by(int signal) const noexcept {
    const int status = status_;
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

std::string child::how_it_ended() const {
    const int status = status_;
    if (WIFSIGNALED(status)) {
        const auto* name = ::sigabbrev_np(WTERMSIG(status));
        return fmt::format("killed by signal {} ({})", WTERMSIG(status),
                           name == nullptr ? "?" : name);
    }
    const auto meaning = meaning_of(exit_code());
    return meaning.empty() ? fmt::format("exit code {}", exit_code())
                           : fmt::format("exit code {} ({})", exit_code(), meaning);
}

}  // namespace ringpipe::pipeline
