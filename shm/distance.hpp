// How far a consumer stays behind its producer.
//
// The cost of a ring is two cores fighting for one cache line. A consumer at the producer's heels
// fetches each line while it is being written; one that lets it run ahead finds hundreds of
// messages that the producer's core has done with. So, whoever runs dry in a flood pauses before
// it looks again. In a conversation (one message, one answer) every pause is pure delay.
//
// Which of the two it is, is found by trying: a short pause, now and then; if it brought many
// messages, a longer one next time; if not, none for long. A trial costs one microsecond, and ever
// fewer are made where they fail.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ringpipe {

class distance {
  public:
    // How long to pause, now that the consumer has run dry `messages` after it did so last.
    std::chrono::nanoseconds pause_after(std::uint64_t messages) {
        using namespace std::chrono;
        if (pause_ != pause_.zero()) {
            // Many, for the time it took: the flood goes on.
            const auto expected =
                static_cast<std::uint64_t>(pause_ / shortest) * enough_per_shortest;
            if (messages >= expected) {
                pause_ = std::min(pause_ * 2, longest);
                patience_ = first_patience;
            } else if (messages >= enough_per_shortest) {
                pause_ = std::max(pause_ / 2, shortest);
            } else {
                pause_ = pause_.zero();
                until_trial_ = patience_;
                patience_ = std::min(patience_ * 2, longest_patience);
            }
        } else if (messages >= until_trial_) {
            pause_ = shortest;
        } else {
            until_trial_ -= messages;
        }
        return pause_;
    }

  private:
    static constexpr std::chrono::nanoseconds shortest{1000};
    static constexpr std::chrono::nanoseconds longest{16000};
    static constexpr std::uint64_t enough_per_shortest = 3;
    static constexpr std::uint64_t first_patience = 64;
    static constexpr std::uint64_t longest_patience = std::uint64_t{1} << 16U;

    std::chrono::nanoseconds pause_{0};
    std::uint64_t until_trial_ = first_patience;
    std::uint64_t patience_ = first_patience;
};

}  // namespace ringpipe
