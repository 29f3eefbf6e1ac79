// The worker's side: what a program calls so that pools can start it as their worker.
#pragma once

#include <string_view>

namespace ringpipe::pool {

// Call this first in main(), before threads are started or options are read. Returns at once,
// unless a pool has started this process as its worker: then it runs tasks, and ends the process
// when the pool does. A worker ignores SIGINT: what Ctrl-C means is the owner's decision.
void run_worker_if_asked();

// "POOL INDEX", in the environment of a worker until run_worker_if_asked() has seen it.
inline constexpr const char* worker_variable = "RINGPIPE_POOL_WORKER";

}  // namespace ringpipe::pool
