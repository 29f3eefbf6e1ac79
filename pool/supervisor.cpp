#include "pool/supervisor.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <exception>
#include <utility>

#include "common/quote.hpp"
#include "pool/errors.hpp"

namespace ringpipe::pool {
namespace {

// So many that end before they are ready, one after the other, break the pool.
constexpr std::uint32_t hopeless = 3;

}  // namespace

supervisor::supervisor(const pool_options& options, std::string pool, std::uint32_t max_workers,
                       board& shared, dispatcher& tasks)
    : pool_{std::move(pool)},
      // The program itself, also when its file has been replaced or removed.
      executable_{options.executable.empty() ? "/proc/self/exe" : options.executable},
      min_workers_{options.min_workers},
      max_workers_{max_workers},
      idle_timeout_{options.idle_timeout},
      board_{shared},
      tasks_{tasks},
      work_{context_.get_executor()},
      idle_timer_{context_},
      grace_timer_{context_},
      workers_(max_workers) {
    boost::asio::post(context_, [this] { start_missing(); });
    thread_ = std::thread{[this] { run(); }};
}

supervisor::~supervisor() { stop({}); }

void supervisor::run() {
    // Signals are for the program's own threads.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    context_.run();
}

void supervisor::stop(std::chrono::milliseconds grace) {
    if (!thread_.joinable()) { return; }
    boost::asio::post(context_, [this, grace] {
        stopping_ = true;
        idle_timer_.cancel();
        if (grace.count() == 0) {
            kill_all();
        } else {
            grace_timer_.expires_after(grace);
            grace_timer_.async_wait([this](boost::system::error_code cancelled) {
                if (!cancelled) { kill_all(); }
            });
        }
        end_when_empty();
    });
    thread_.join();
}

void supervisor::grow() {
    boost::asio::post(context_, [this] { start_missing(); });
}

void supervisor::kill(std::uint32_t worker, std::uint32_t pid) {
    boost::asio::post(context_, [this, worker, pid] {
        auto& one = workers_.at(worker);
        // Not its successor in that place.
        if (one && static_cast<std::uint32_t>(one->pid()) == pid) { one->kill(); }
    });
}

void supervisor::watch(std::weak_ptr<task_state> task) {
    boost::asio::post(context_, [this, task = std::move(task)] {
        const auto one = task.lock();
        if (!one || one->ready()) { return; }
        auto timer = std::make_unique<boost::asio::steady_timer>(context_, one->options_.until);
        auto& running = *timer;
        running.async_wait([this, task, held = std::move(timer)](boost::system::error_code) {
            if (const auto late = task.lock(); late && !late->ready()) { tasks_.expire(*late); }
        });
    });
}

void supervisor::broken() {
    boost::asio::post(context_, [this] {
        stopping_ = true;
        kill_all();
    });
}

void supervisor::start_missing() {
    if (stopping_) { return; }
    const auto pending = tasks_.pending();
    while (!stopping_ && alive_ < max_workers_ && (alive_ < min_workers_ || alive_ < pending)) {
        if (!start_one()) { break; }
    }
    tasks_.workers_are(alive_);
    if (alive_ > min_workers_ && !idle_timer_runs_ && !stopping_) { look_for_idle(); }
}

bool supervisor::start_one() {
    const auto place = std::find(workers_.begin(), workers_.end(), nullptr);
    const auto index = static_cast<std::uint32_t>(place - workers_.begin());
    try {
        *place =
            std::make_unique<worker_process>(context_, executable_, pool_, index,
                                             [this, index](int status) { bury(index, status); });
    } catch (const std::exception& failed) {
        stopping_ = true;
        tasks_.break_pool(fmt::format("cannot start a worker of the pool, {}: {}",
                                      in_quotes(executable_), failed.what()));
        kill_all();
        return false;
    }
    ++alive_;
    return true;
}

void supervisor::bury(std::uint32_t index, int status) {
    const bool had_started = board_.workers()[index].pid != 0;
    const bool died = WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
    failed_starts_ = had_started ? 0 : failed_starts_ + 1;
    tasks_.worker_gone(index, status, died);
    // Only behind that: its place is given to another. And not from within its own call.
    boost::asio::post(context_, [this, index] {
        workers_[index].reset();
        --alive_;
        if (!stopping_) { start_missing(); }
        end_when_empty();
    });
    const bool cannot_initialize = board_.header().broken.load(std::memory_order_acquire) == 2;
    if (!stopping_ && (cannot_initialize || failed_starts_ >= hopeless)) {
        stopping_ = true;
        tasks_.break_pool(why_not_started(status));
        kill_all();
    }
}

std::string supervisor::why_not_started(int status) const {
    if (board_.header().broken.load(std::memory_order_acquire) == 2) {
        return fmt::format("the pool is broken: a worker could not start: {}",
                           board_.header().broken_why);
    }
    return fmt::format(
        "the pool is broken: its workers end before they are ready ({}); does {} call "
        "ringpipe::pool::run_worker_if_asked() at the start of main()?",
        how_it_ended(status), in_quotes(executable_));
}

void supervisor::look_for_idle() {
    idle_timer_runs_ = true;
    idle_timer_.expires_after(idle_timeout_);
    idle_timer_.async_wait([this](boost::system::error_code cancelled) {
        idle_timer_runs_ = false;
        if (cancelled || stopping_ || alive_ <= min_workers_) { return; }
        if (clock::now() - tasks_.last_busy() >= idle_timeout_) {
            for (auto more = alive_; more > min_workers_; --more) { tasks_.retire_one(); }
        }
        look_for_idle();
    });
}

void supervisor::kill_all() {
    for (const auto& one : workers_) {
        if (one) { one->kill(); }
    }
}

void supervisor::end_when_empty() {
    if (stopping_ && alive_ == 0) {
        grace_timer_.cancel();
        work_.reset();
        context_.stop();
    }
}

}  // namespace ringpipe::pool
