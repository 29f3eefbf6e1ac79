// From a stream to a ring.
#pragma once

#include "bridge/out.hpp"
#include "shm/producer.hpp"

namespace ringpipe::bridge {

struct in_options {
    std::string stream;
    std::string consumer = "default";
    std::optional<std::uint32_t> partition = {};  // of `out --partition-by`
    int batch = 1000;                             // messages fetched at a time
    bool follow = false;                          // go on when the stream tells of its end
};

// Until the stream tells of its end, or a stop is requested. What is acknowledged to JetStream is
// in the ring. Throws error where trying again would not help.
transfer run_in(const ring& to, const connection& over, const in_options& with, const teller& tell,
                const pass_counter& count);

}  // namespace ringpipe::bridge
