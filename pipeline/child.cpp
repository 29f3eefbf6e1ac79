#include "pipeline/child.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

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
        const bool tied = ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                          (enrolled_at == nullptr || ::setpgid(0, 0) == 0);
        if (tied && enrolled_at != nullptr) { enrolled_at->enroll_self(); }
        // A launcher that died before the prctl sends nothing any more.
        if (::getppid() != launcher) { ::_exit(EX_UNAVAILABLE); }
        return tied ? bp::error_code{} : bp::error_code{errno, boost::system::system_category()};
    }
};

bp::process start(boost::asio::io_context& context, const shell_command& what,
                  const guard* enrolled_at) {
    const std::vector<std::string> arguments{"-c", what.text};
    const tied_to_launcher tie{::getpid(), enrolled_at};
    // Two consumers must not fight for the input, and it is the producer that has a use for it.
    if (what.role == side::consumer) {
        return bp::process{context,
                           "/bin/sh",
                           arguments,
                           bp::process_environment{what.environment},
                           bp::process_stdio{nullptr, {}, {}},
                           tie};
    }
    return bp::process{context, "/bin/sh", arguments, bp::process_environment{what.environment},
                       tie};
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
      process_{start(context, what_, own_group_ ? guard_ : nullptr)},
      pid_{process_.id()} {
    process_.async_wait([this, then = std::move(on_end)](bp::error_code failed, int) {
        if (failed) { process_.wait(failed); }  // a kernel without pidfd
        ended_ = true;
        then();
    });
}

child::~child() {
    if (!gone()) { signal(SIGKILL); }
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

int child::exit_code() const noexcept {
    const int status = process_.native_exit_code();
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string child::how_it_ended() const {
    const int status = process_.native_exit_code();
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
