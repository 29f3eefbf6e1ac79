#include "pool/worker_process.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

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
        if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
            return {errno, boost::system::system_category()};
        }
        // An owner that died before the prctl sends nothing any more.
        if (::getppid() != owner) { ::_exit(127); }
        return {};
    }
};

std::vector<std::string> environment_of_worker(const std::string& pool, std::uint32_t index) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) { all.emplace_back(*entry); }
    all.push_back(fmt::format("{}={} {}", worker_variable, pool, index));
    return all;
}

}  // namespace

worker_process::worker_process(boost::asio::io_context& context, const std::string& executable,
                               const std::string& pool, std::uint32_t index,
                               std::function<void(int status)> on_end)
    // The arguments are for people who look at a list of processes.
    : process_{context,
               executable,
               std::vector<std::string>{"ringpipe-worker", pool},
               bp::process_environment{environment_of_worker(pool, index)},
               bp::process_stdio{nullptr, {}, {}},
               tied_to_owner{::getpid()}},
      pid_{process_.id()} {
    process_.async_wait([this, then = std::move(on_end)](bp::error_code failed, int) {
        if (failed == boost::asio::error::operation_aborted) { return; }
        if (failed) { process_.wait(failed); }  // a kernel without pidfd
        ended_ = true;
        then(process_.native_exit_code());
    });
}

void worker_process::kill() noexcept {
    if (!ended_) { ::kill(pid_, SIGKILL); }
}

}  // namespace ringpipe::pool
