#include "consumer/intake.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/deadline.hpp"
#include "common/program.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::consumer_program {
namespace {

using namespace std::chrono_literals;

// How long a signal may go unnoticed.
constexpr auto tick = 100ms;

}  // namespace

std::string_view to_string(ending why) noexcept {
    switch (why) {
        case ending::clean: return "clean";
        case ending::truncated: return "truncated";
        case ending::count: return "count";
        case ending::timeout: return "timeout";
        case ending::signal: return "signal";
        case ending::closed_output: return "closed output";
    }
    return "unknown";
}

intake::intake(const ring& from, const options& with, progress_meter& meter)
    : in_{from, with.endpoint},
      with_{with},
      meter_{meter},
      most_{with.count.value_or(std::numeric_limits<std::uint64_t>::max())} {}

message intake::over(ending why) {
    why_ = why;
    over_ = true;
    most_ = received_;
    return {};
}

// At the end of each lease: often enough to look for signals, too rarely to cost anything.
message intake::wait() {
    --received_;
    const auto give_up = with_.timeout ? after(*with_.timeout) : never;
    for (;;) {
        if (stop_requested()) { return over(ending::signal); }
        const auto received = in_.receive_until(std::min(after(tick), give_up));
        switch (received.status()) {
            case receive_status::message:
                ++received_;
                received_any_ = true;
                return received;
            case receive_status::end:
                if (!with_.follow) { return over(ending::clean); }
                follow_on();
                break;
            case receive_status::truncated:
                if (!with_.follow) { return over(ending::truncated); }
                if (!told_truncated_) {
                    tell_user(program_name,
                              "the stream is truncated: a producer died or gave up; "
                              "waiting for another, because of --follow");
                }
                told_truncated_ = true;
                follow_on();
                break;
            case receive_status::timed_out: break;
        }
        if (clock::now() >= give_up) { return over(ending::timeout); }
        if (output_closed()) { return over(ending::closed_output); }
        meter_.look();
    }
}

// The ring tells of its end at once, each time it is asked.
void intake::follow_on() { std::this_thread::sleep_for(tick / 2); }

bool intake::output_closed() const {
    if (watched_ < 0) { return false; }
    pollfd output{watched_, 0, 0};
    return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace ringpipe::consumer_program
