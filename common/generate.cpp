#include "common/generate.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "common/error.hpp"
#include "common/quote.hpp"
#include "common/units.hpp"

namespace ringpipe {
namespace {

// A message is the number, the stamp and the pattern. The stamp is a mark in its upper 16 bits,
// which tells our messages from others, and 48 bits of checksum.
constexpr std::size_t word_size = 8;
constexpr std::size_t pattern_at = 2 * word_size;
constexpr std::uint64_t mark = 0x7270;  // "rp"
constexpr unsigned mark_shift = 48;
constexpr std::uint64_t checksum_mask = (std::uint64_t{1} << mark_shift) - 1;

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
constexpr std::uint64_t fnv_prime = 0x100000001b3;
constexpr std::uint64_t fnv_basis = 0xcbf29ce484222325;

std::uint64_t little(std::uint64_t word) noexcept {
    return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

// Of the last word there may be fewer than 8 bytes: the others are zero.
std::uint64_t load(const std::byte* from, std::size_t size = word_size) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, from, size);
    return little(word);
}

void store(std::byte* to, std::uint64_t word, std::size_t size = word_size) noexcept {
    word = little(word);
    std::memcpy(to, &word, size);
}

// One step of FNV-1a with words for bytes. The shift brings the upper bits back down, which the
// product only pushes out. Each step is a bijection of either argument: no change of a single
// word can go unnoticed before the checksum is cut to 48 bits.
std::uint64_t mix(std::uint64_t sum, std::uint64_t word) noexcept {
    sum = (sum ^ word) * fnv_prime;
    return sum ^ sum >> 32U;
}

std::uint64_t stamp_of(std::span<const std::byte> pattern, std::uint64_t number) noexcept {
    auto sum = mix(mix(fnv_basis, number), pattern.size());
    const auto* at = pattern.data();
    auto left = pattern.size();
    for (; left >= word_size; left -= word_size, at += word_size) { sum = mix(sum, load(at)); }
    if (left > 0) { sum = mix(sum, load(at, left)); }
    sum = mix(sum, golden);  // so that the bits cut off depend on the last word, too
    return mark << mark_shift | (sum & checksum_mask);
}

void fill_pattern(std::span<std::byte> pattern, std::uint64_t number) noexcept {
    auto state = number * golden + 1;
    auto* at = pattern.data();
    auto left = pattern.size();
    for (; left >= word_size; left -= word_size, at += word_size) {
        state += golden;
        store(at, state ^ state >> 29U);
    }
    if (left > 0) { store(at, state + golden, left); }
}

}  // namespace

generate_options parse_generate(std::string_view text) {
    const auto colon = text.find(':');
    generate_options result;
    result.count = parse_count(text.substr(0, colon));
    if (colon != std::string_view::npos) { result.size = parse_size(text.substr(colon + 1)); }
    if (result.count == 0) {
        throw error{errc::invalid_argument,
                    fmt::format("cannot generate {}: there is nothing to send; use a count of at "
                                "least 1",
                                in_quotes(text))};
    }
    if (result.size < least_generated_size) {
        throw error{errc::invalid_argument,
                    fmt::format("cannot generate {}: messages of {} bytes have no room for number "
                                "and checksum; use a size of at least {}",
                                in_quotes(text), result.size, least_generated_size)};
    }
    return result;
}

void fill_generated(std::span<std::byte> into, std::uint64_t number) {
    if (into.size() < least_generated_size) {
        throw error{errc::invalid_argument,
                    fmt::format("cannot generate message {} in {} bytes: number and checksum do "
                                "not fit; use a size of at least {}",
                                number, into.size(), least_generated_size)};
    }
    const auto pattern = into.subspan(pattern_at);
    fill_pattern(pattern, number);
    store(into.data(), number);
    store(into.data() + word_size, stamp_of(pattern, number));
}

generated_check check_generated(std::span<const std::byte> message) noexcept {
    if (message.size() < least_generated_size) { return {generated_status::not_generated, 0}; }
    const auto number = load(message.data());
    const auto stamp = load(message.data() + word_size);
    if (stamp >> mark_shift != mark) { return {generated_status::not_generated, 0}; }
    const bool good = stamp == stamp_of(message.subspan(pattern_at), number);
    return {good ? generated_status::good : generated_status::damaged, number};
}

}  // namespace ringpipe
