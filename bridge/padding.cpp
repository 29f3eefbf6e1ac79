#include "bridge/padding.hpp"

#include <bit>

namespace ringpipe::bridge {
namespace {

constexpr std::string_view key = " pad=";

// The record's length, number, time, the lengths of subject and headers, the checksum.
constexpr std::uint64_t record_fields = 4 + 8 + 8 + 2 + 4 + 8;

constexpr std::uint64_t partition_digits = 11;  // ".4294967295"

}  // namespace

std::uint64_t unit_of(std::string_view stream) {
    return std::bit_ceil(record_fields + stream.size() + partition_digits + 1);
}

std::uint64_t stored_size(std::size_t subject, std::size_t headers, std::size_t count,
                          std::size_t payload) {
    constexpr std::string_view version = "NATS/1.0\r\n";
    constexpr std::string_view between = ": \r\n";
    constexpr std::string_view end = "\r\n";
    return record_fields + subject + version.size() + headers + count * between.size() +
           end.size() + payload;
}

void pad(std::string& header, std::uint64_t size, std::uint64_t unit) {
    auto missing = (unit - size % unit) % unit;
    if (missing == 0) { return; }
    if (missing < key.size()) { missing += unit; }
    header += key;
    header.append(missing - key.size(), '.');
}

}  // namespace ringpipe::bridge
