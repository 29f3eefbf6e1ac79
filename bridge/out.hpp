// From a ring to a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bridge/connection.hpp"
#include "bridge/partition.hpp"
#include "bridge/stream.hpp"
#include "shm/consumer.hpp"

namespace ringpipe::bridge {

enum class ending { clean, truncated, signal };

struct transfer {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t duplicates = 0;   // recognised, and dropped
    std::uint64_t resent = 0;       // out: published again after a failure
    std::uint64_t missing = 0;      // in: messages or parts that the stream no longer had
    bool missing_at_least = false;  // of a partition it is not known how many they were
    ending why = ending::clean;
};

// Called as messages pass; with 0 while it waits.
using pass_counter = std::function<void(std::uint64_t messages, std::uint64_t bytes)>;

struct out_options {
    std::string stream;
    std::string group = "default";
    stream_options creation;
    partitioning partition;
    std::uint32_t window = 4096;  // messages that wait for the stream's acknowledgement, at most
    bool shared = false;          // others publish to this stream, too
    // How long a message stays in the ring after the stream has acknowledged it, to be sent again if a
    // server fails meanwhile. Nothing: 3 s if the stream has replicas, else 0.
    std::optional<std::chrono::nanoseconds> settle = {};
    bool follow = false;  // go on at the end of the ring's stream
};

// Until the stream of the ring has ended, or a stop is requested. What is acknowledged in the ring
// is stored in the stream. Throws error where trying again would not help.
transfer run_out(const ring& from, const connection& over, const out_options& with,
                 const teller& tell, const pass_counter& count);

}  // namespace ringpipe::bridge
