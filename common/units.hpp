// Sizes, counts, times and rates as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringpipe {

// "4096", "64KiB" = "64K" = "64k", "1MiB", "2GiB"; "1kB" and "1MB" are powers of 1000.
// The case of letters does not matter. Throws error(invalid_argument).
[[nodiscard]] std::uint64_t parse_size(std::string_view text);

// "1000", "10k", "5M", "1G": powers of 1000, as things are counted.
[[nodiscard]] std::uint64_t parse_count(std::string_view text);

// "250ms", "1.5s", "3m", "1h", "100us", "10ns"; a plain number is seconds.
// What is finer than a nanosecond is cut off.
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view text);

[[nodiscard]] std::string format_bytes(std::uint64_t bytes);   // "1.5 MiB", "64 KiB", "7 B"
[[nodiscard]] std::string format_count(std::uint64_t number);  // "1,234,567"
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds time);  // "1.5 s", "2m 05s"

// `unit` "B" counts in powers of 1024: "1.2 GiB/s"; any other in powers of 1000: "3.2 M msg/s".
[[nodiscard]] std::string format_rate(double per_second, std::string_view unit);

}  // namespace ringpipe
