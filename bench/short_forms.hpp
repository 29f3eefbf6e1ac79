// Numbers as a table has room for them.
#pragma once

#include <fmt/format.h>

#include <string>

namespace ringpipe::bench {

[[nodiscard]] inline std::string short_number(double value) {
    if (value >= 1e9) { return fmt::format("{:.2f} G", value / 1e9); }
    if (value >= 1e6) { return fmt::format("{:.1f} M", value / 1e6); }
    return fmt::format("{:.1f} k", value / 1e3);
}

[[nodiscard]] inline std::string short_time(double ns) {
    if (ns >= 1e6) { return fmt::format("{:.1f} ms", ns / 1e6); }
    return ns >= 1e4 ? fmt::format("{:.1f} us", ns / 1e3) : fmt::format("{:.0f} ns", ns);
}

}  // namespace ringpipe::bench
