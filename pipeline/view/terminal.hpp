// The whole terminal, drawn anew at each look (ncurses).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/view/screen.hpp"

namespace ringpipe::pipeline {

// One at a time. The terminal is as it was before when it goes.
class terminal {
  public:
    // Throws error(invalid_argument) if the output is no terminal that can be drawn on.
    terminal();
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;
    ~terminal();

    [[nodiscard]] static bool speaks_unicode();

    [[nodiscard]] std::size_t width() const;
    [[nodiscard]] std::size_t height() const;

    // One line each, from the top; what does not fit is not seen.
    void draw(const std::vector<screen_line>& lines);

    enum class key {
        none,
        resized,
        quit,
        pause,
        members,
        order,
        slower,
        faster,
        up,
        down,
        page_up,
        page_down,
        help,
        other
    };
    // Waits so long for one.
    [[nodiscard]] key read_key(int milliseconds);
};

}  // namespace ringpipe::pipeline
