// What a message of the stream carries beside its payload: one header, "Ringpipe", of words
// KEY=VALUE. A message without it, from another client of NATS, is whole and has no source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringpipe::bridge {

inline constexpr const char* header_name = "Ringpipe";

struct envelope {
    std::string source;          // the creation id of the ring it comes from
    std::uint64_t sequence = 0;  // in that ring
    std::uint32_t attempt = 1;
    std::uint32_t producer = 0;
    std::uint32_t part = 0;  // of `parts`, from 0; only the last completes the message
    std::uint32_t parts = 1;
    std::string end;  // "clean" or "truncated": no message, but the end of the stream

    bool operator==(const envelope&) const = default;
};

[[nodiscard]] std::string to_header(const envelope& from);

// Nothing if it is none, or contradicts itself.
[[nodiscard]] std::optional<envelope> parse_header(std::string_view text);

// By which JetStream recognises what it has already: source, sequence and part.
[[nodiscard]] std::string message_id(const envelope& of);

}  // namespace ringpipe::bridge
