#include "pool/errors.hpp"

#include <sys/wait.h>

#include <cstring>

namespace ringpipe::pool {

std::exception_ptr failure_of(errc which, std::string line) {
    return std::make_exception_ptr(error{which, std::move(line)});
}

std::string how_it_ended(int status) {
    if (!WIFSIGNALED(status)) { return fmt::format("exit code {}", WEXITSTATUS(status)); }
    const auto* const name = ::sigabbrev_np(WTERMSIG(status));
    return fmt::format("signal {} ({})", WTERMSIG(status), name == nullptr ? "?" : name);
}

worker_died::worker_died(int status, std::uint32_t attempts)
    : error{errc::worker_died,
            fmt::format("the worker died of {} at this task (attempt {}); see what the task does, "
                        "or allow more with max_attempts",
                        how_it_ended(status), attempts)},
      signal_{WIFSIGNALED(status) ? WTERMSIG(status) : 0},
      exit_code_{WIFSIGNALED(status) ? 0 : WEXITSTATUS(status)} {}

}  // namespace ringpipe::pool
