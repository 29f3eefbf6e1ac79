// How far a program has come, redrawn on one line of the terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ringpipe/common/deadline.hpp"

namespace ringpipe {

// Whether somebody would see a meter: standard error is a terminal.
[[nodiscard]] bool stderr_is_terminal() noexcept;

// For one thread. Draws at most five times a second.
class progress_meter {
  public:
    explicit progress_meter(std::string label, bool enabled = stderr_is_terminal());
    // A terminal and a clock, or a test's of both.
    progress_meter(std::string label, bool enabled, int fd,
                   std::function<clock::time_point()> now = clock::now);
    progress_meter(const progress_meter&) = delete;
    progress_meter& operator=(const progress_meter&) = delete;
    ~progress_meter() { finish(); }

    // Cheap enough for every message: the clock is read once in up to 1024.
    void add(std::uint64_t messages, std::uint64_t bytes) {
        messages_ += messages;
        bytes_ += bytes;
        if (enabled_ && messages_ >= look_at_) { look(); }
    }

    // Draws if it is time to: for a program that is about to wait, with nothing to add.
    void look();

    // Clears the line, for what is written next. add() then draws no more.
    void finish() noexcept;

    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] clock::duration elapsed() const { return now_() - started_; }

  private:
    void draw(clock::time_point now);
    void put(std::string_view text) const noexcept;

    std::string label_;
    int fd_;
    bool enabled_;
    std::function<clock::time_point()> now_;
    bool drawn_ = false;
    std::uint64_t messages_ = 0;
    std::uint64_t bytes_ = 0;

    std::uint64_t step_ = 1;  // messages between two looks at the clock
    std::uint64_t look_at_ = 1;
    clock::time_point started_;
    clock::time_point looked_;

    clock::time_point drawn_at_;  // for the rate: what it was when last drawn
    std::uint64_t drawn_messages_ = 0;
    std::uint64_t drawn_bytes_ = 0;
};

}  // namespace ringpipe
