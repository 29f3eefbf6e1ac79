#include "shm/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace ringpipe::futex {
namespace {

// The kernel reads the word, nobody writes through this pointer.
std::uint32_t* address_of(const std::atomic<std::uint32_t>& word) noexcept {
    return reinterpret_cast<std::uint32_t*>(const_cast<std::atomic<std::uint32_t>*>(&word));
}

}  // namespace

void wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, deadline until) noexcept {
    // FUTEX_WAIT_BITSET takes an absolute time of the clock that steady_clock is.
    using namespace std::chrono;
    const auto since_boot = std::max(until.time_since_epoch(), clock::duration::zero());
    const auto whole = floor<seconds>(since_boot);
    const timespec at{static_cast<time_t>(whole.count()),
                      static_cast<long>(nanoseconds{since_boot - whole}.count())};
    syscall(SYS_futex, address_of(word), FUTEX_WAIT_BITSET, expected,
            until == never ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
}

int wake(const std::atomic<std::uint32_t>& word, int count) noexcept {
    const auto woken = syscall(SYS_futex, address_of(word), FUTEX_WAKE, count, nullptr, nullptr, 0);
    return woken > 0 ? static_cast<int>(woken) : 0;
}

}  // namespace ringpipe::futex
