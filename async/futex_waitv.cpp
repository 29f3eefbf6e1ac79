#include "async/futex_waitv.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>

#include "shm/futex.hpp"

namespace ringpipe {
namespace {

// As linux/futex.h of 5.16 has it; older headers don't.
constexpr long call_number = 449;
constexpr std::uint32_t word_of_32_bits = 2;

struct waiter {
    std::uint64_t expected;
    std::uint64_t address;
    std::uint32_t flags;
    std::uint32_t reserved;
};

std::atomic<bool> missing{false};

}  // namespace

void wait_for_any(std::span<const wait_point> points, deadline until) noexcept {
    waiter waiters[most_words_at_once];
    const auto count = std::min(points.size(), most_words_at_once);
    if (!missing.load(std::memory_order_relaxed)) {
        for (std::size_t i = 0; i < count; ++i) {
            waiters[i] = {points[i].expected, reinterpret_cast<std::uint64_t>(points[i].word),
                          word_of_32_bits, 0};
        }
        using namespace std::chrono;
        const auto since_boot = std::max(until.time_since_epoch(), clock::duration::zero());
        const auto whole = floor<seconds>(since_boot);
        const timespec at{static_cast<time_t>(whole.count()),
                          static_cast<long>(nanoseconds{since_boot - whole}.count())};
        const auto result = ::syscall(call_number, waiters, count, 0,
                                      until == never ? nullptr : &at, CLOCK_MONOTONIC);
        if (result >= 0 || (errno != ENOSYS && errno != EPERM)) { return; }
        missing.store(true, std::memory_order_relaxed);
    }
    futex::wait(*points[0].word, points[0].expected,
                count == 1 ? until : std::min(until, clock::now() + std::chrono::milliseconds{1}));
}

}  // namespace ringpipe
