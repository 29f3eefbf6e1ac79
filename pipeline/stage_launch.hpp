// Starts the stages of a run and the rings between them, and stays until all have ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "pipeline/child.hpp"
#include "pipeline/guard.hpp"
#include "pipeline/stage_list.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {

class stage_launch {
  public:
    explicit stage_launch(stages_plan plan);
    stage_launch(const stage_launch&) = delete;
    stage_launch& operator=(const stage_launch&) = delete;
    ~stage_launch();  // the rings are gone then

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
        bool done = false;  // ended, and not started again
    };
    struct state {
        part what;
        std::vector<copy> copies;
        std::optional<clock::time_point> stopped_at;
        int exit_code = 0;
    };
    // A ring between two parts. The launcher is a producer of it, so that the stream does not end
    // before all copies have come and while one is started again.
    struct link {
        std::string name;
        ring it;
        std::optional<producer> holder;
    };

    void make_rings();
    void start(std::size_t place, std::size_t number);
    void ended(std::size_t place, std::size_t number);
    [[nodiscard]] bool start_again(std::size_t place, std::size_t number);
    [[nodiscard]] static bool all_done(const state& where);
    void copy_done(std::size_t place, std::size_t number);
    void part_ended(std::size_t place);
    void stop_before(std::size_t place);
    void tick();
    void await_signal();
    void interrupt(int signal);
    void signal_all(std::size_t place, int signal);
    [[nodiscard]] bool finished();
    [[nodiscard]] std::string name_of(std::size_t place, std::size_t number) const;
    [[nodiscard]] std::uint64_t done_before(std::size_t place) const;
    [[nodiscard]] bool nothing_left(std::size_t place) const;
    [[nodiscard]] std::string waiting_before(std::size_t place) const;
    void summarize() const;

    guard guard_;  // first: it is forked while there is little to inherit
    stages_plan plan_;
    boost::asio::io_context context_{1};
    boost::asio::steady_timer timer_{context_};
    boost::asio::signal_set signals_{context_};
    std::vector<link> links_;
    std::vector<state> parts_;
    int interrupts_ = 0;
    int interrupted_by_ = 0;
};

}  // namespace ringpipe::pipeline
