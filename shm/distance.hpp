// How far a consumer stays behind its producer.
//
// The cost of a ring is two cores fighting for one cache line. A consumer at the producer's heels
// fetches each line while it is being written; one that lets it run ahead finds hundreds of
// messages that the producer's core has done with. So, whoever runs dry in a flood pauses before
// it looks again. In a conversation (one message, one answer) every pause is pure delay.
//
// Which of the two it is, is found by trying: a short pause, now and then; if it brought many
// messages, it is a flood. A trial costs one microsecond, and ever fewer are made where they fail.
//
// How long to pause in a flood is found by trying, too: now and then a few milliseconds with a
// pause four (or, if that brought nothing, sixteen) times as long; if more messages came through in
// the same time, it stays. And with one a quarter as long, which stays if no fewer came: a producer
// with a pace of its own is followed closely, since it sends no more for being left alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "ringpipe/common/deadline.hpp"

namespace ringpipe {

class distance {
  public:
    // How long to pause, now that the consumer has run dry `messages` after it did so last.
    std::chrono::nanoseconds pause_after(std::uint64_t messages, clock::time_point now) {
        if (pause_ == pause_.zero()) {
            if (messages >= until_trial_) {
                settle_at(shortest, now);
            } else {
                until_trial_ -= messages;
            }
        } else if (messages < enough_per_shortest) {
            pause_ = pause_.zero();
            until_trial_ = patience_;
            patience_ = std::min(patience_ * 2, longest_patience);
        } else if (messages < static_cast<std::uint64_t>(pause_ / shortest) * enough_per_shortest) {
            settle_at(std::max(pause_ / factor, shortest), now);
        } else {
            patience_ = first_patience;
            in_window_ += messages;
            if (++cycles_ >= least_cycles && now - window_start_ >= window) { end_window(now); }
        }
        return pause_;
    }

  private:
    static constexpr std::chrono::nanoseconds shortest{1000};
    static constexpr std::chrono::nanoseconds longest{256'000};
    static constexpr int factor = 4;
    static constexpr std::uint64_t enough_per_shortest = 3;
    static constexpr std::uint64_t first_patience = 64;
    static constexpr std::uint64_t longest_patience = std::uint64_t{1} << 16U;

    // Long enough for the noise of the machine, short enough to arrive within some 10 ms.
    static constexpr std::chrono::nanoseconds window{1'000'000};
    static constexpr std::uint32_t least_cycles = 8;
    static constexpr std::uint32_t longest_rest = 64;  // windows between two trials

    enum class trial { none, longer, shorter };

    void settle_at(std::chrono::nanoseconds pause, clock::time_point now) {
        pause_ = settled_ = pause;
        trying_ = trial::none;
        next_ = trial::longer;
        stride_ = factor;
        rest_ = windows_left_ = 1;
        begin_window(now);
    }

    void begin_window(clock::time_point now) {
        window_start_ = now;
        in_window_ = 0;
        cycles_ = 0;
    }

    void end_window(clock::time_point now) {
        const double rate =
            static_cast<double>(in_window_) / static_cast<double>((now - window_start_).count());
        begin_window(now);
        if (trying_ == trial::none) {
            settled_rate_ = rate;
            if (--windows_left_ == 0) { begin_trial(); }
            return;
        }
        const bool better =
            trying_ == trial::longer ? rate > settled_rate_ * 1.03 : rate > settled_rate_ * 0.98;
        if (better) {
            settled_ = pause_;
            stride_ = factor;
            rest_ = 1;
        } else {
            pause_ = settled_;
            if (trying_ == trial::longer) {
                stride_ = stride_ == factor ? factor * factor : factor;
            }
            next_ = trying_ == trial::longer ? trial::shorter : trial::longer;
            rest_ = std::min(rest_ * 2, longest_rest);
        }
        trying_ = trial::none;
        windows_left_ = rest_;
    }

    void begin_trial() {
        if (settled_ == longest) { next_ = trial::shorter; }
        if (settled_ == shortest) { next_ = trial::longer; }
        trying_ = next_;
        pause_ = trying_ == trial::longer ? std::min(settled_ * stride_, longest)
                                          : std::max(settled_ / factor, shortest);
    }

    std::chrono::nanoseconds pause_{0};
    std::uint64_t until_trial_ = first_patience;
    std::uint64_t patience_ = first_patience;

    std::chrono::nanoseconds settled_{0};
    double settled_rate_ = 0;
    trial trying_ = trial::none;
    trial next_ = trial::longer;
    int stride_ = factor;  // of the next trial of a longer pause
    std::uint32_t rest_ = 1;
    std::uint32_t windows_left_ = 1;

    clock::time_point window_start_;
    std::uint64_t in_window_ = 0;
    std::uint32_t cycles_ = 0;
};

}  // namespace ringpipe
