// How a stream of bytes is cut into messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ringpipe {

struct framing {
    enum class kind {
        lines,   // each ends with '\n'
        nul,     // each ends with '\0'
        length,  // each follows its size: 4 bytes, little-endian
        fixed,   // each has `size` bytes
        chunks,  // each has `size` bytes, but the last may have fewer
    };

    kind type = kind::lines;
    std::size_t size = 0;  // of fixed and chunks; 0 for the others

    bool operator==(const framing&) const = default;
};

// lines | nul | length | fixed:N | chunks:N, where N is a size with or without a unit.
[[nodiscard]] framing parse_framing(std::string_view text);

[[nodiscard]] std::string to_string(framing how);

}  // namespace ringpipe
