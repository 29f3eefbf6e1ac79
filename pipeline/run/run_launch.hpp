// Starts the parts of a run and the rings between them, and stays until all have ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "pipeline/child.hpp"
#include "pipeline/guard.hpp"
#include "pipeline/run/control.hpp"
#include "pipeline/run/links.hpp"
#include "pipeline/run/plan.hpp"
#include "pipeline/run/run_view.hpp"

namespace ringpipe::pipeline {

class run_launch {
  public:
    // The plan has no cycle, and every ring is read and written.
    explicit run_launch(run_plan plan);
    run_launch(const run_launch&) = delete;
    run_launch& operator=(const run_launch&) = delete;
    ~run_launch();  // all processes have ended then

    // 0, or the exit code of the last stage that failed (pipefail); each failure is said in one
    // line. A stage that is stopped because nobody reads it any more does not fail.
    [[nodiscard]] int run();

  private:
    struct copy {
        std::vector<std::unique_ptr<child>> lives;  // the last one is the present one
        unsigned restarts = 0;
        unsigned fruitless = 0;  // restarts in a row after which nothing was done
        clock::time_point started_at;
        std::uint64_t done_at_start = 0;
        bool nothing_found = false;  // see stage/options.hpp
        bool retires = false;        // there are to be less of them
        bool done = false;           // ended, and not started again
    };
    struct departure {
        std::set<std::size_t> numbers;  // of the copies that are still there
        std::function<void()> when_gone;
    };
    struct state {
        std::vector<copy> copies;
        std::vector<departure> departures;
        std::optional<clock::time_point> stopped_at;
        int exit_code = 0;
    };

    [[nodiscard]] int exit_code() const;
    [[nodiscard]] bool something_is_left() const;
    void start(std::size_t place, std::size_t number);
    void ended(std::size_t place, std::size_t number);
    [[nodiscard]] bool may_start_again(std::size_t place, std::size_t number) const;
    void start_again(std::size_t place, std::size_t number);
    [[nodiscard]] std::chrono::milliseconds back_off(std::size_t place, copy& one) const;
    void say_failed(std::size_t place, std::size_t number) const;
    void copy_done(std::size_t place, std::size_t number);
    void part_ended(std::size_t place);
    void stop(std::size_t place);
    [[nodiscard]] bool all_done(std::size_t place) const;
    void tick();
    void await_signal();
    void interrupt(int signal);
    void signal_all(std::size_t place, int signal);
    [[nodiscard]] bool finished();
    void take_order(const scale_order& order, const control::reply& reply);
    [[nodiscard]] std::optional<scale_result> refusal(std::size_t place, std::size_t copies) const;
    [[nodiscard]] std::vector<std::size_t> at_work(std::size_t place) const;
    void scale(std::size_t place, std::size_t copies, const control::reply& reply);
    void tell_who_waits_for(std::size_t place, std::size_t number);
    [[nodiscard]] std::string name_of(std::size_t place, std::size_t number) const;
    void show_flow();
    void summarize() const;

    guard guard_;  // first: it is forked while there is little to inherit
    run_plan plan_;
    links links_;
    boost::asio::io_context context_{1};
    boost::asio::steady_timer timer_{context_};
    boost::asio::signal_set signals_{context_};
    std::vector<state> states_;  // of plan_.parts
    std::optional<control> control_;
    std::optional<run_view> view_;
    int interrupts_ = 0;
    int interrupted_by_ = 0;
};

}  // namespace ringpipe::pipeline
