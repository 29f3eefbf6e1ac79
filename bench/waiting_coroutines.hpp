// What coroutines cost that wait for messages, in one process.
#pragma once

#include <cstddef>
#include <cstdio>

namespace ringpipe::bench {

// Threads, bytes of heap per waiting operation, CPU time at rest, time to serve all once.
void print_waiting(std::FILE* to, std::size_t coroutines, std::size_t rings);

}  // namespace ringpipe::bench
