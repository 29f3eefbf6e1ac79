#include "common/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

#include "common/error.hpp"
#include "common/quote.hpp"

namespace ringpipe {
namespace {

struct unit {
    std::string_view name;  // in lower case
    std::uint64_t factor;
};

constexpr std::uint64_t kibi = 1024;
constexpr std::uint64_t mebi = kibi * kibi;
constexpr std::uint64_t gibi = mebi * kibi;
constexpr std::uint64_t tebi = gibi * kibi;
constexpr std::array size_units{
    unit{"", 1},
    unit{"b", 1},
    unit{"k", kibi},
    unit{"kib", kibi},
    unit{"m", mebi},
    unit{"mib", mebi},
    unit{"g", gibi},
    unit{"gib", gibi},
    unit{"t", tebi},
    unit{"tib", tebi},
    unit{"kb", 1'000},
    unit{"mb", 1'000'000},
    unit{"gb", 1'000'000'000},
    unit{"tb", 1'000'000'000'000},
};
constexpr std::array count_units{
    unit{"", 1},
    unit{"k", 1'000},
    unit{"m", 1'000'000},
    unit{"g", 1'000'000'000},
};
constexpr std::array duration_units{
    unit{"", 1'000'000'000},     unit{"ns", 1},
    unit{"us", 1'000},           unit{"ms", 1'000'000},
    unit{"s", 1'000'000'000},    unit{"m", 60'000'000'000},
    unit{"min", 60'000'000'000}, unit{"h", 3'600'000'000'000},
};

// What kind of quantity is read: the words for its errors and the units it knows.
struct quantity {
    std::string_view name;
    std::string_view advice;
    std::span<const unit> units;
    std::uint64_t largest;
    bool fractions;
};

constexpr quantity size_quantity{
    "size",
    "write bytes, or a number with K, KiB, M, MiB, G, GiB, T, TiB (powers of 1024) or kB, MB, GB, "
    "TB (powers of 1000)",
    size_units, std::numeric_limits<std::uint64_t>::max(), false};
constexpr quantity count_quantity{"count",
                                  "write a whole number, or one with k, M or G (powers of 1000)",
                                  count_units, std::numeric_limits<std::uint64_t>::max(), false};
constexpr quantity duration_quantity{
    "duration", "write seconds, or a number with ns, us, ms, s, m or h", duration_units,
    static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count()), true};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[noreturn]] void refuse(const quantity& what, std::string_view text, std::string_view why) {
    throw error{errc::invalid_argument, fmt::format("cannot read {} {}: {}; {}", what.name,
                                                    in_quotes(text), why, what.advice)};
}

std::uint64_t factor_of(const quantity& what, std::string_view text, std::string_view name) {
    std::string lower{name};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const auto found = std::find_if(what.units.begin(), what.units.end(),
                                    [&](const unit& u) { return u.name == lower; });
    if (found == what.units.end()) {
        refuse(what, text, fmt::format("there is no unit {}", in_quotes(name)));
    }
    return found->factor;
}

// Whole numbers all the way: a double would lose nanoseconds and bytes of large values.
std::uint64_t parse(const quantity& what, std::string_view text) {
    if (text.empty()) { refuse(what, text, "it is empty"); }
    if (text.front() == '-') { refuse(what, text, "it is negative"); }
    if (!is_digit(text.front())) { refuse(what, text, "it does not begin with a digit"); }

    std::uint64_t whole = 0;
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (problem != std::errc{}) { refuse(what, text, "it is too large"); }
    auto rest = text.substr(static_cast<std::size_t>(stop - text.data()));

    std::string_view fraction;
    if (rest.starts_with('.')) {
        if (!what.fractions) { refuse(what, text, "it has a fraction"); }
        rest.remove_prefix(1);
        const auto digits = std::find_if_not(rest.begin(), rest.end(), is_digit);
        fraction = rest.substr(0, static_cast<std::size_t>(digits - rest.begin()));
        if (fraction.empty()) { refuse(what, text, "no digit follows its point"); }
        rest.remove_prefix(fraction.size());
    }
    // "64 KiB", as our own output has it
    if (rest.size() > 1 && rest.front() == ' ') { rest.remove_prefix(1); }

    auto scale = factor_of(what, text, rest);
    std::uint64_t value = 0;
    bool too_large = __builtin_mul_overflow(whole, scale, &value);
    for (const char digit : fraction) {
        scale /= 10;
        too_large |=
            __builtin_add_overflow(value, scale * static_cast<std::uint64_t>(digit - '0'), &value);
    }
    if (too_large || value > what.largest) { refuse(what, text, "it is too large"); }
    return value;
}

// One decimal, and the next prefix where rounding would show a full one ("1024.0 KiB").
std::string scaled(double value, double step, std::span<const std::string_view> prefixes) {
    std::size_t prefix = 0;
    while (prefix + 1 < prefixes.size() && std::round(value * 10) / 10 >= step) {
        value /= step;
        ++prefix;
    }
    return fmt::format("{:.1f} {}", value, prefixes[prefix]);
}

constexpr std::array<std::string_view, 7> binary{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
constexpr std::array<std::string_view, 6> decimal{"", "k ", "M ", "G ", "T ", "P "};

}  // namespace

std::uint64_t parse_size(std::string_view text) { return parse(size_quantity, text); }

std::uint64_t parse_count(std::string_view text) { return parse(count_quantity, text); }

std::chrono::nanoseconds parse_duration(std::string_view text) {
    return std::chrono::nanoseconds{
        static_cast<std::chrono::nanoseconds::rep>(parse(duration_quantity, text))};
}

std::string format_bytes(std::uint64_t bytes) {
    auto whole = bytes;
    std::size_t prefix = 0;
    while (whole >= kibi && whole % kibi == 0 && prefix + 1 < binary.size()) {
        whole /= kibi;
        ++prefix;
    }
    if (whole < kibi) { return fmt::format("{} {}", whole, binary[prefix]); }
    return scaled(static_cast<double>(bytes), static_cast<double>(kibi), binary);
}

std::string format_count(std::uint64_t number) {
    auto digits = fmt::format("{}", number);
    for (auto place = digits.size(); place > 3;) {
        place -= 3;
        digits.insert(place, 1, ',');
    }
    return digits;
}

std::string format_duration(std::chrono::nanoseconds time) {
    using namespace std::chrono_literals;
    const std::string_view sign = time < 0ns ? "-" : "";
    // unsigned, as the most negative time has no positive counterpart
    const auto count = static_cast<std::uint64_t>(time.count());
    const std::uint64_t ns = time < 0ns ? 0 - count : count;

    constexpr std::uint64_t second = 1'000'000'000;
    if (ns == 0) { return "0 s"; }
    if (ns < 1'000) { return fmt::format("{}{} ns", sign, ns); }
    const auto say = [&](std::uint64_t unit_ns, std::string_view name) {
        if (ns % unit_ns == 0) { return fmt::format("{}{} {}", sign, ns / unit_ns, name); }
        // cut off, not rounded: "1000.0 us" would be no better than "999.9 us"
        return fmt::format("{}{}.{} {}", sign, ns / unit_ns, ns % unit_ns / (unit_ns / 10), name);
    };
    if (ns < 1'000'000) { return say(1'000, "us"); }
    if (ns < second) { return say(1'000'000, "ms"); }
    if (ns < 60 * second) { return say(second, "s"); }
    const auto seconds = ns / second;
    if (seconds < 3600) { return fmt::format("{}{}m {:02}s", sign, seconds / 60, seconds % 60); }
    return fmt::format("{}{}h {:02}m", sign, seconds / 3600, seconds % 3600 / 60);
}

std::string format_rate(double per_second, std::string_view unit) {
    if (!std::isfinite(per_second) || per_second < 0) { return fmt::format("- {}/s", unit); }
    if (unit == "B") { return scaled(per_second, static_cast<double>(kibi), binary) + "/s"; }
    return fmt::format("{}{}/s", scaled(per_second, 1000, decimal), unit);
}

}  // namespace ringpipe
