#include "pool/worker_process.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/failed_exec.hpp"
#include "common/tie_to_parent.hpp"
#include "pool/worker.hpp"

namespace ringpipe::pool {
namespace {

namespace bp = boost::process::v2;

// An initializer of Boost.Process: runs in the child, between fork and exec.
struct tied_to_owner {
    pid_t owner;

    template <class Launcher>
    bp::error_code on_exec_setup(Launcher&, const std::filesystem::path&,
                                 const char* const*&) const {
        // The thread that starts it has all signals blocked; the worker shall not.
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        return {tie_to_parent(owner), boost::system::system_category()};
    }
};

std::vector<std::string> environment_of_worker(const std::string& pool, std::uint32_t index) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) { all.emplace_back(*entry); }
    all.push_back(fmt::format("{}={} {}", worker_variable, pool, index));
    return all;
}

pid_t start(boost::asio::io_context& context, const std::string& executable,
            const std::string& pool, std::uint32_t index) {
    // The arguments are for people who look at a list of processes.
    bp::process started{context,
                        executable,
                        std::vector<std::string>{"ringpipe-worker", pool},
                        bp::process_environment{environment_of_worker(pool, index)},
                        bp::process_stdio{nullptr, {}, {}},
                        tied_to_owner{::getpid()},
                        ends_unless_executed{}};
    const auto pid = started.id();
    started.detach();
    return pid;
}

}  // namespace

worker_process::worker_process(boost::asio::io_context& context, const std::string& executable,
                               const std::string& pool, std::uint32_t index,
                               std::function<void(int status)> on_end)
    : pid_{start(context, executable, pool, index)}, on_end_{std::move(on_end)}, end_{context} {
    const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (fd < 0) {
        const int failed = errno;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        throw error{errc::io, "cannot watch a worker (pidfd_open needs Linux 5.3)", failed};
    }
    end_.assign(fd);
    wait_for_end();
}

worker_process::~worker_process() {
    if (ended_) { return; }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

// Not process::async_wait of Boost.Process 1.81: that one blocks in waitpid() when it is woken for
// a worker that lives, as happened when the descriptor's number had been another's just before.
void worker_process::wait_for_end() {
    end_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this](boost::system::error_code failed) {
                        if (failed) { return; }  // we are gone
                        int status = 0;
                        if (::waitpid(pid_, &status, WNOHANG) == 0) { return wait_for_end(); }
                        ended_ = true;
                        on_end_(status);
                    });
}

void worker_process::kill() noexcept {
    if (!ended_) { ::kill(pid_, SIGKILL); }
}

}  // namespace ringpipe::pool
