// The last row of a terminal, kept apart: what others write scrolls above it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ringpipe::pipeline {

class bottom_line {
  public:
    explicit bottom_line(int fd);
    bottom_line(const bottom_line&) = delete;
    bottom_line& operator=(const bottom_line&) = delete;
    ~bottom_line() { clear(); }

    // How much of a line can be seen; 0: nothing can be shown, as it is no terminal, we are in its
    // background, or another program draws on it (a pager, an editor).
    [[nodiscard]] std::size_t room() const noexcept;

    // ASCII, not longer than room().
    void show(std::string_view line);

    // The row is as the others again.
    void clear() noexcept;

  private:
    void put(const std::string& text) const noexcept;

    int fd_;
    bool known_;         // what kind of terminal it is
    unsigned rows_ = 0;  // of the terminal when the last one was taken; 0: it was not
};

}  // namespace ringpipe::pipeline
