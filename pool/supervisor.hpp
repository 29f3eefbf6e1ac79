// Keeps a pool's workers: starts them when tasks wait, buries them, starts others in their place.
// All of it on one thread of its own, which lives as long as the workers do.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ringpipe/pool/dispatcher.hpp"
#include "ringpipe/pool/worker_process.hpp"

namespace ringpipe::pool {

class supervisor : public crew {
  public:
    supervisor(const pool_options& options, std::string pool, std::uint32_t max_workers,
               board& shared, dispatcher& tasks);
    ~supervisor() override;

    // Until all workers are gone. Those at the end of the request ring leave by themselves; those
    // that have not left after `grace` are killed.
    void stop(std::chrono::milliseconds grace);

    void grow() override;
    void kill(std::uint32_t worker, std::uint32_t pid) override;
    void watch(std::weak_ptr<task_state> task) override;
    void broken() override;

  private:
    void run();
    // All below: on the thread.
    void start_missing();
    bool start_one();
    void bury(std::uint32_t index, int status);
    void look_for_idle();
    void kill_all();
    void end_when_empty();
    [[nodiscard]] std::string why_not_started(int status) const;

    const std::string pool_;
    const std::string executable_;
    const std::uint32_t min_workers_;
    const std::uint32_t max_workers_;
    const std::chrono::milliseconds idle_timeout_;
    board& board_;
    dispatcher& tasks_;

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::steady_timer idle_timer_;
    boost::asio::steady_timer grace_timer_;
    bool idle_timer_runs_ = false;
    std::vector<std::unique_ptr<worker_process>> workers_;
    std::uint32_t alive_ = 0;
    std::uint32_t failed_starts_ = 0;  // in a row
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace ringpipe::pool
