// Numbered, checksummed test messages: what `--generate` sends and `--verify` checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringpipe {

inline constexpr std::size_t least_generated_size = 16;  // number and checksum
inline constexpr std::size_t default_generated_size = 64;

struct generate_options {
    std::uint64_t count = 0;
    std::size_t size = default_generated_size;
};

// "COUNT" or "COUNT:SIZE", as in "1M:4KiB". Throws error(invalid_argument).
[[nodiscard]] generate_options parse_generate(std::string_view text);

// Makes `into` message `number`: the number, a checksum, and a pattern that differs from number
// to number; all little-endian. Throws error(invalid_argument) if `into` is too small.
void fill_generated(std::span<std::byte> into, std::uint64_t number);

enum class generated_status {
    good,
    damaged,        // bears our mark, but the checksum is not that of its number, size and bytes
    not_generated,  // no message of fill_generated()
};

struct generated_check {
    generated_status status;
    std::uint64_t number;  // as the message says; 0 if it is not_generated
};

[[nodiscard]] generated_check check_generated(std::span<const std::byte> message) noexcept;

}  // namespace ringpipe
