// What a message of the stream carries beside its payload: its id, which names source and sequence,
// and one header, "Ringpipe", of words KEY=VALUE; short, as the server stores and sends it each time. A
// message without it, from another client of NATS, is whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringpipe::bridge {

inline constexpr const char* header_name = "Ringpipe";

struct envelope {
    std::string source;          // the creation id of its ring; the header has it for parts only
    std::uint64_t sequence = 0;  // in that ring
    std::uint32_t attempt = 1;
    std::uint32_t producer = 0;
    std::uint32_t part = 0;  // of `parts`, from 0; only the last completes the message
    std::uint32_t parts = 1;
    std::string end;  // "clean" or "truncated": no message, but the end of the stream

    bool operator==(const envelope&) const = default;
};

void append_header(std::string& to, const envelope& from);

// Nothing if it is none, or contradicts itself.
[[nodiscard]] std::optional<envelope> parse_header(std::string_view text);

// By which JetStream recognises what it has already: source, sequence and part.
void append_message_id(std::string& to, const envelope& of);

}  // namespace ringpipe::bridge
