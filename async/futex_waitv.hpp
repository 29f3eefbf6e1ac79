// The kernel's wait on many words at once (Linux 5.16; see futex(2) for the wait on one).
#pragma once

#include <span>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/wait_point.hpp"

namespace ringpipe {

inline constexpr std::size_t most_words_at_once = 128;  // FUTEX_WAITV_MAX

// Sleeps while every word is as expected, until one is woken, the deadline, or a signal; may wake
// for nothing. At most most_words_at_once. Where the kernel has no futex_waitv or a sandbox forbids
// it, sleeps on the first word alone, a millisecond at most.
void wait_for_any(std::span<const wait_point> points, deadline until) noexcept;

}  // namespace ringpipe
