// The command line of ringpipe-consumer, as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/framing.hpp"
#include "shm/consumer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::consumer_program {

inline constexpr std::string_view program_name = "ringpipe-consumer";

struct options {
    std::string ring;
    ring_options creation;      // if it is new: either side may start first
    consumer_options endpoint;  // group, from, kind, prefetch, wait, max_attempts

    // What is done with the messages: written, unless one of the other two is asked for.
    std::string to = "-";
    ringpipe::framing framing;
    std::string exec;
    bool verify = false;

    // When it ends.
    std::optional<std::uint64_t> count;
    std::optional<std::chrono::nanoseconds> timeout;  // without any message
    bool follow = false;                              // not at the end of the stream

    bool progress = false;
    bool stats = false;
};

// Nothing: --help or --version was asked for, and is answered. Throws error(invalid_argument).
[[nodiscard]] std::optional<options> parse_options(int argc, const char* const* argv);

}  // namespace ringpipe::consumer_program
