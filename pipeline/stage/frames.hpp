// Where one message of a filter's stream ends and the next begins.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "common/framing.hpp"

namespace ringpipe::pipeline::stage {

class frames {
  public:
    explicit frames(framing how) noexcept : how_{how} {}

    // The size of the first message in `text`, with its delimiter or prefix; 0: it is not complete.
    [[nodiscard]] std::size_t first(std::string_view text) const noexcept;

    // The size of all whole messages that `text` begins with. `seen`: so much of it is known to
    // hold no whole message.
    [[nodiscard]] std::size_t whole(std::string_view text, std::size_t seen) const noexcept;

    [[nodiscard]] std::size_t count(std::string_view text) const noexcept;

    // What lines and nul have at their end.
    [[nodiscard]] std::optional<char> delimiter() const noexcept;

  private:
    framing how_;
};

}  // namespace ringpipe::pipeline::stage
