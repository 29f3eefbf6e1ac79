// The kernel's wait on a 32-bit word, between processes. std::atomic::wait does not work there.
#pragma once

#include <atomic>
#include <cstdint>

#include "ringpipe/common/deadline.hpp"

namespace ringpipe::futex {

// Sleeps while `word` is `expected`, until woken, the deadline, or a signal; may wake for nothing.
void wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, deadline until) noexcept;

// Wakes at most `count`; returns how many there were.
int wake(const std::atomic<std::uint32_t>& word, int count) noexcept;

inline constexpr int everyone = 0x7fffffff;

}  // namespace ringpipe::futex
