// Sizes that keep a full stream from losing what it has.
//
// A stream with a limit of bytes should refuse what is new once it is full. nats-server before
// 2.10.5 (Debian 12 has 2.9.10) forgets what it stores beside a message, its subject, number and
// checksum, when it looks whether there is room, and then drops the oldest messages until its limit
// holds: unread ones, without a word (nats-server, issue 4771). Between "there is room" and "too much"
// lies less than one unit of ours. So if the limit and every stored message are whole units, no
// message can fall in there, whoever publishes, and in whatever order they are removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringpipe::bridge {

// In bytes, a power of two: more than the server stores beside the payload and the headers of a
// message to `stream` or to one of its partitions.
[[nodiscard]] std::uint64_t unit_of(std::string_view stream);

// What the server stores for a message, in bytes, of which `headers` are the names and values of its
// `count` headers together.
[[nodiscard]] std::uint64_t stored_size(std::size_t subject, std::size_t headers, std::size_t count,
                                        std::size_t payload);

// Makes `header`, of a message that takes `size` bytes now, so much longer that the message takes
// whole units.
void pad(std::string& header, std::uint64_t size, std::uint64_t unit);

}  // namespace ringpipe::bridge
