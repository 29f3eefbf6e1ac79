// Where a consumer program's messages come from, until it is over, and what ended it.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "common/progress.hpp"
#include "consumer/options.hpp"
#include "shm/consumer.hpp"

namespace ringpipe::consumer_program {

enum class ending {
    clean,          // all producers have left cleanly
    truncated,      // one has not
    count,          // --count is reached
    timeout,        // nothing came for --timeout
    signal,         //
    closed_output,  // nobody reads our output any longer
};
[[nodiscard]] std::string_view to_string(ending why) noexcept;

class intake {
  public:
    intake(const ring& from, const options& with, progress_meter& meter);

    // The next message. Without one it is over: see why().
    //
    // May wait, unless more() is true: before that, the caller acknowledges what it has done.
    [[nodiscard]] message next() {
        if (received_ == most_) { return over_ ? message{} : over(ending::count); }
        ++received_;
        // One object from here to the caller: a copy of what was just written field by field
        // costs as much as all the rest of a small message.
        message received = in_.at_hand() ? in_.try_receive() : wait();
        if (!received && !over_) [[unlikely]] {
            received = wait();
        }  // only discarded ones were left
        redelivered_ += received.redelivered() ? 1 : 0;
        return received;
    }

    [[nodiscard]] bool more() const { return in_.at_hand() && received_ != most_; }

    // The next call of next() has none. Returns that.
    message over(ending why);

    // These were done: `done` and all before it.
    void acknowledge(const message& done, std::uint64_t messages, std::uint64_t bytes) {
        acknowledge_to(done.end(), messages, bytes);
    }
    void acknowledge_to(std::uint64_t end, std::uint64_t messages, std::uint64_t bytes) {
        in_.acknowledge_to(end);
        meter_.add(messages, bytes);
    }

    // The first that is not acknowledged is begun once more: which attempt is it now?
    [[nodiscard]] std::uint32_t count_attempt(const message& again) {
        return in_.count_attempt(again);
    }

    // To the dead letters; that acknowledges it. False: they had no room for it.
    [[nodiscard]] bool bury(const message& dead, std::string_view why) {
        return in_.bury(dead, why);
    }

    // Ends it, while it waits for messages, when nobody reads `fd` any longer.
    void watch(int fd) { watched_ = fd; }

    // Leaves the group; what was not acknowledged is handed back to it.
    void close() {
        dead_letters_ = in_.buried();
        in_.close();
    }

    [[nodiscard]] ending why() const { return why_; }
    [[nodiscard]] std::uint64_t redelivered() const { return redelivered_; }
    // Known once it is closed.
    [[nodiscard]] std::uint64_t dead_letters() const { return dead_letters_; }
    [[nodiscard]] bool received_any() const { return received_any_; }

  private:
    [[nodiscard]] message wait();
    [[nodiscard]] bool output_closed() const;
    void follow_on();

    consumer in_;
    const options& with_;
    progress_meter& meter_;
    std::uint64_t received_ = 0;
    std::uint64_t most_;
    std::uint64_t redelivered_ = 0;
    std::uint64_t dead_letters_ = 0;
    int watched_ = -1;
    bool over_ = false;
    bool received_any_ = false;
    bool told_truncated_ = false;
    ending why_ = ending::clean;
};

}  // namespace ringpipe::consumer_program
