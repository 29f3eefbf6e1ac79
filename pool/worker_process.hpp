// One worker as its owner sees it: a process of Boost.Process.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <string>

namespace ringpipe::pool {

class worker_process {
  public:
    // `on_end` gets the status as waitpid() says it. The worker dies with the *thread* that calls
    // this (PR_SET_PDEATHSIG). Throws boost::system::system_error if there is no such program.
    worker_process(boost::asio::io_context& context, const std::string& executable,
                   const std::string& pool, std::uint32_t index,
                   std::function<void(int status)> on_end);
    worker_process(const worker_process&) = delete;
    worker_process& operator=(const worker_process&) = delete;
    ~worker_process();  // SIGKILL, if it still runs

    [[nodiscard]] pid_t pid() const { return pid_; }
    void kill() noexcept;

  private:
    void wait_for_end();

    pid_t pid_;
    std::function<void(int)> on_end_;
    boost::asio::posix::stream_descriptor end_;  // a pidfd: readable at the end
    bool ended_ = false;
};

}  // namespace ringpipe::pool
