#include "common/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/units.hpp"

namespace ringpipe {
namespace {

using namespace std::chrono_literals;

constexpr auto between_draws = 200ms;

// Costs nothing more than longer ones, and a stream that becomes slow is noticed sooner.
constexpr std::uint64_t longest_step = 1024;

// A line wider than the terminal would wrap, and \r could not get back to its beginning.
std::size_t width_of(int fd) noexcept {
    winsize window{};
    if (::ioctl(fd, TIOCGWINSZ, &window) != 0 || window.ws_col < 2) { return 79; }
    return window.ws_col - 1U;
}

}  // namespace

bool stderr_is_terminal() noexcept { return ::isatty(STDERR_FILENO) == 1; }

progress_meter::progress_meter(std::string label, bool enabled)
    : progress_meter{std::move(label), enabled, STDERR_FILENO} {}

progress_meter::progress_meter(std::string label, bool enabled, int fd,
                               std::function<clock::time_point()> now)
    : label_{std::move(label)},
      fd_{fd},
      enabled_{enabled},
      now_{std::move(now)},
      started_{now_()},
      looked_{started_},
      drawn_at_{started_} {}

void progress_meter::look() {
    if (!enabled_) { return; }
    const auto now = now_();
    // Follows the speed: about a millisecond from look to look, and every message when slow.
    const auto since = now - looked_;
    if (since < 1ms) { step_ = std::min(step_ * 2, longest_step); }
    if (since > 2ms) { step_ = std::max<std::uint64_t>(step_ / 2, 1); }
    if (since > 50ms) { step_ = 1; }
    looked_ = now;
    look_at_ = messages_ + step_;
    if (now - drawn_at_ >= between_draws) { draw(now); }
}

void progress_meter::draw(clock::time_point now) {
    const auto seconds = std::chrono::duration<double>(now - drawn_at_).count();
    const auto per_second = [&](std::uint64_t count) {
        return static_cast<double>(count) / seconds;
    };
    const auto whole_seconds = std::chrono::floor<std::chrono::seconds>(now - started_);
    auto line = fmt::format(
        "{}: {} msg, {}, {}, {}, {}", label_, format_count(messages_), format_bytes(bytes_),
        format_rate(per_second(messages_ - drawn_messages_), "msg"),
        format_rate(per_second(bytes_ - drawn_bytes_), "B"), format_duration(whole_seconds));
    line.resize(std::min(line.size(), width_of(fd_)));
    put("\r" + line + "\x1b[K");
    drawn_ = true;
    drawn_at_ = now;
    drawn_messages_ = messages_;
    drawn_bytes_ = bytes_;
}

void progress_meter::finish() noexcept {
    enabled_ = false;
    if (std::exchange(drawn_, false)) { put("\r\x1b[K"); }
}

// What cannot be drawn is left out: the meter must never be why a program fails.
void progress_meter::put(std::string_view text) const noexcept {
    [[maybe_unused]] const auto written = ::write(fd_, text.data(), text.size());
}

}  // namespace ringpipe
