// What could not be worked on: an envelope around the message, in a ring of its own.
//
// The ring NAME.dead is an ordinary ring with a group "default"; its messages are envelopes:
//
//   offset 0   magic "RPDL"     4   version, 1     8   sequence in the first ring
//          16  when, ns since 1970                24   attempts     28   length of why
//          32  why             then the payload, to the end
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ringpipe/shm/message.hpp"
#include "ringpipe/shm/ring.hpp"

namespace ringpipe {

struct dead_letter {
    std::uint64_t sequence = 0;
    std::chrono::system_clock::time_point when;
    std::uint32_t attempts = 0;
    std::string why;
    std::span<const std::byte> payload;  // lies in the message it was read from
};

// NAME.dead
std::string dead_letter_ring_of(std::string_view ring);

// Nothing, if the message is no envelope.
std::optional<dead_letter> read_dead_letter(std::span<const std::byte> message);

// Makes the dead-letter ring if it is not there. False: it is full. Never waits.
bool send_dead_letter(const ring& of, const message& dead, std::uint32_t attempts,
                      std::string_view why);

}  // namespace ringpipe
