// What is given to the targets: bytes, read as the choices of one run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace ringpipe::fuzz {

using bytes = std::span<const std::byte>;

// At the end of the bytes every choice is 0.
class choices {
  public:
    explicit choices(bytes from) : left_{from} {}

    [[nodiscard]] bool any() const { return !left_.empty(); }

    [[nodiscard]] std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
    [[nodiscard]] std::uint16_t word() { return static_cast<std::uint16_t>(number(2)); }

    [[nodiscard]] bytes take(std::size_t most) {
        const auto taken = left_.first(std::min(most, left_.size()));
        left_ = left_.subspan(taken.size());
        return taken;
    }

    [[nodiscard]] bytes rest() { return take(left_.size()); }

  private:
    [[nodiscard]] std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const auto each : take(size)) {
            value = value << 8U | std::to_integer<std::uint64_t>(each);
        }
        return value;
    }

    bytes left_;
};

// What must hold; neither assert nor exception, so that nothing can switch it off or catch it.
inline void must(bool true_always) {
    if (!true_always) { std::abort(); }
}

void segment_bytes(bytes input);
void framing_readers(bytes input);

}  // namespace ringpipe::fuzz
