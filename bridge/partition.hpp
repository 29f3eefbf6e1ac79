// Which part of a stream a message belongs to: the same key always to the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ringpipe::bridge {

struct partitioning {
    enum class key { none, whole, prefix, field };

    key by = key::none;
    std::uint32_t size = 0;  // prefix: bytes; field: its number, from 1
    char separator = ',';    // field
    std::uint32_t partitions = 1;
};

// "hash" (of the whole message), "prefix:BYTES", "field:NUMBER" or "field:NUMBER:SEPARATOR".
// Throws error(invalid_argument).
[[nodiscard]] partitioning parse_partitioning(std::string_view text);

// From 0. A message without that field has an empty key. FNV-1a, as everybody can compute it.
[[nodiscard]] std::uint32_t partition_of(std::span<const std::byte> payload,
                                         const partitioning& how);

}  // namespace ringpipe::bridge
