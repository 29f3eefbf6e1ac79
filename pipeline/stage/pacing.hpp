// How long to leave a filter's pipe alone, so that much moves at once.
//
// A filter writes a page at a time, and reads one. Woken for each, the stage would take its core from
// the filter thousands of times a second: on two cores that was a fifth of the run (docs/performance.md).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace ringpipe::pipeline::stage {

// Grows while a pause moves little and shrinks before the pipe runs full (or dry). What moves less
// than a page in the longest one, or nothing at all, is no flood: then nobody pauses, and a line
// that comes alone passes at once.
class pacing {
  public:
    using duration = std::chrono::microseconds;

    static constexpr std::size_t page = 4096;
    static constexpr std::size_t few = std::size_t{32} << 10U;    // bytes: a longer pause
    static constexpr std::size_t many = std::size_t{128} << 10U;  // half of the pipe: a shorter one
    static constexpr duration shortest{250};
    static constexpr duration longest{4000};

    // Zero: wait in the kernel for the next byte, or for room for it.
    [[nodiscard]] duration pause() const noexcept { return pause_; }

    // A page or more came without a pause: there may be a flood behind it.
    void begin() noexcept {
        if (pause_ == duration{0}) { pause_ = shortest; }
    }

    // So many bytes moved during the last pause.
    void moved(std::size_t bytes) noexcept {
        if (bytes == 0 || (bytes < page && pause_ == longest)) {
            pause_ = duration{0};
        } else if (bytes < few) {
            pause_ = std::min(2 * pause_, longest);
        } else if (bytes > many) {
            pause_ = pause_ > shortest ? pause_ / 2 : duration{0};
        }
    }

  private:
    duration pause_{0};
};

}  // namespace ringpipe::pipeline::stage
