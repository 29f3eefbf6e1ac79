#include "pipeline/stage/bulk.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <thread>

#include "pipeline/stage/descriptor.hpp"
#include "pipeline/stage/filter.hpp"
#include "pipeline/stage/retirement.hpp"
#include "pipeline/stage/send_frames.hpp"
#include "shm/consumer.hpp"

namespace ringpipe::pipeline::stage {
namespace {

using namespace std::chrono_literals;

// From the ring to the filter, until the stream ends, the filter reads no more, the copy retires, or
// `stop`. True: it got all that was meant for it.
bool feed(consumer& in, filter& to, const std::atomic<bool>& stop) {
    bool all = false;
    pacing pace;
    while (!stop) {
        if (retired()) {
            all = true;
            break;
        }
        const auto message = in.receive_for(100ms);
        if (message.status() == receive_status::timed_out) { continue; }
        // Truncated, too: the launcher knows who died, and says so.
        if (!message) {
            all = true;
            break;
        }
        const auto went = write_all(to.in(), message.text(), stop, pace);
        // Of what was begun nobody knows how much the filter has worked on: as in a pipe.
        if (went.size > 0) { in.acknowledge(message); }
        if (went.result != write_result::done) { break; }
    }
    in.close();
    to.close_in();
    return all;
}

consumer_options as_consumer(const options& what) {
    consumer_options how;
    // Few, so that a slow copy does not sit on the work of the others.
    how.prefetch = 4;
    how.wait = wait_strategy::block;
    how.max_attempts = 0;
    how.group = what.group;
    how.name = what.label;
    return how;
}

// A thread of its own, so that neither direction waits for the other.
class feeder {
  public:
    feeder(consumer& in, filter& to)
        : thread_{[this, &in, &to] {
              try {
                  got_all_ = feed(in, to, stop_);
              } catch (...) {
                  failed_ = std::current_exception();
                  to.close_in();
              }
          }} {}
    feeder(const feeder&) = delete;
    feeder& operator=(const feeder&) = delete;
    ~feeder() { join(); }

    // True: the filter got all of it.
    bool finish() {
        join();
        if (failed_) { std::rethrow_exception(failed_); }
        return got_all_;
    }

  private:
    void join() {
        stop_ = true;
        if (thread_.joinable()) { thread_.join(); }
    }

    std::atomic<bool> stop_{false};
    std::exception_ptr failed_;
    bool got_all_ = false;
    std::thread thread_;
};

// Does not come back, but if somebody else handles the signal.
int end_quietly(int code) {
    (void)::raise(nothing_found());
    return code;
}

}  // namespace

int run_bulk(const options& what) {
    std::optional<ring> to;
    std::optional<producer> out;
    if (what.to) {
        to = ring::open(*what.to);
        producer_options how;
        how.name = what.label;
        if (what.resumable && !what.from) { how.resume = what.label; }
        how.wait = wait_strategy::block;
        out.emplace(*to, how);
    }
    if (what.command.empty()) {
        send_frames(STDIN_FILENO, *to, *out, what);
        out->close();
        return 0;
    }
    std::optional<consumer> in;
    if (what.from) { in.emplace(ring::open(*what.from), as_consumer(what)); }
    const auto leave = [&](int code) {
        if (in) { in->close(); }
        if (out) { out->close(); }
        return code;
    };
    if (in && what.when_needed && !wait_for_work(*in)) { return end_quietly(leave(0)); }
    filter it{what.command, what.label, {.in = in.has_value(), .out = to.has_value()}};
    std::optional<feeder> feeding;
    if (in) { feeding.emplace(*in, it); }
    const bool sent = to && send_frames(it.out(), *to, *out, what);
    const int code = it.wait();
    const bool got_all = feeding && feeding->finish();
    leave(code);
    const bool nothing = code == 1 && got_all && to && !sent && !it.said_something();
    return nothing && what.one_of_many ? end_quietly(code) : code;
}

}  // namespace ringpipe::pipeline::stage
