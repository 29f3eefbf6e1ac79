#include "pipeline/run/bottom_line.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "pipeline/view/terminal_kind.hpp"

namespace ringpipe::pipeline {
namespace {

constexpr unsigned least_rows = 4;
constexpr unsigned least_columns = 20;

// As ECMA-48 and all that is sold as a VT100 have them.
constexpr auto save_cursor =
    "\x1b"
    "7";
constexpr auto restore_cursor =
    "\x1b"
    "8";
constexpr auto scroll_everywhere = "\x1b[r";
constexpr auto up = "\x1b[A";

winsize size_of(int fd) noexcept {
    winsize window{};
    if (::ioctl(fd, TIOCGWINSZ, &window) != 0) { window = {}; }
    return window;
}

}  // namespace

bottom_line::bottom_line(int fd) : fd_{fd}, known_{terminal_is_known(std::getenv("TERM"))} {}

std::size_t bottom_line::room() const noexcept {
    termios how{};
    if (!known_ || ::tcgetattr(fd_, &how) != 0) { return 0; }
    // Who reads single keys draws the whole screen.
    if ((how.c_lflag & static_cast<tcflag_t>(ICANON)) == 0) { return 0; }
    if (::tcgetpgrp(fd_) != ::getpgrp()) { return 0; }
    const auto window = size_of(fd_);
    if (window.ws_row < least_rows || window.ws_col < least_columns) { return 0; }
    return window.ws_col - 1U;  // in the last column the cursor would wrap
}

void bottom_line::show(std::string_view line) {
    const unsigned rows = size_of(fd_).ws_row;
    std::string text;
    if (rows != rows_) {
        // A new line, should the cursor be in the last row; the region's setting moves it away.
        text += fmt::format("\n{}\x1b[1;{}r{}{}", save_cursor, rows - 1, restore_cursor, up);
        rows_ = rows;
    }
    text += fmt::format("{}\x1b[{};1H\x1b[2K{}{}", save_cursor, rows, line, restore_cursor);
    put(text);
}

void bottom_line::clear() noexcept {
    if (const auto rows = std::exchange(rows_, 0U); rows != 0) {
        put(fmt::format("{}{}\x1b[{};1H\x1b[2K{}", save_cursor, scroll_everywhere, rows,
                        restore_cursor));
    }
}

// One write, so that nobody else's text comes between; what cannot be drawn is left out.
void bottom_line::put(const std::string& text) const noexcept {
    [[maybe_unused]] const auto ignored = ::write(fd_, text.data(), text.size());
}

}  // namespace ringpipe::pipeline
