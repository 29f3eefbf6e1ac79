// What a thread that waits for many rings sleeps on, for one of them.
#pragma once

#include <atomic>
#include <cstdint>

namespace ringpipe {

// Announced: whoever changes what is waited for changes the word and wakes it. In shared memory;
// valid as long as the end that gave it. A sleeper looks again after the ring's liveness interval
// at the latest: the dead wake nobody.
struct wait_point {
    const std::atomic<std::uint32_t>* word = nullptr;
    std::uint32_t expected = 0;  // sleep while the word is this
};

}  // namespace ringpipe
