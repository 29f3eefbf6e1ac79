// What ringpipe costs when nothing happens: CPU time while it waits, and memory.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace ringpipe::bench {

// A consumer of an empty ring and a producer of a full one, each waiting for `time`.
void print_idle(std::FILE* to, std::uint64_t capacity, std::chrono::milliseconds time,
                std::array<int, 2> cores);

// A producer and a consumer that have gone through the whole ring three times, beside a process
// that has done nothing.
void print_memory(std::FILE* to, std::uint64_t capacity, std::array<int, 2> cores);

}  // namespace ringpipe::bench
