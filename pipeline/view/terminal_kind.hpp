// What the terminal database knows.
#pragma once

namespace ringpipe::pipeline {

// Whether it can be drawn on. `kind` as in TERM; none is not known either. Asked before curses is:
// newterm() does not free what it has made for a kind that it then refuses.
[[nodiscard]] bool terminal_is_known(const char* kind);

}  // namespace ringpipe::pipeline
