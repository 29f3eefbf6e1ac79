#include "async/fork_count.hpp"

#include <pthread.h>

#include <atomic>

namespace ringpipe {

unsigned fork_count() noexcept {
    static std::atomic<unsigned> forks{0};
    static const int watched =
        ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    (void)watched;
    return forks.load(std::memory_order_relaxed);
}

}  // namespace ringpipe
