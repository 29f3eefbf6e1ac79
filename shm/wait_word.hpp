// Sleep until somebody changes something, without a lost wake-up.
//
// The trap: a sleeper looks, finds nothing, and is about to sleep; now a waker changes things and
// sees no sleeper; the sleeper sleeps for ever. The way out, step by step:
//
//     sleeper                                   waker
//  1  announce(): epoch + 1, bit 0 set          1  change things
//  2  full fence                                2  full fence
//  3  look again: found? go on, don't sleep     3  announced()?  no: done
//  4  futex wait while the word is as in 1      4  wake(): epoch + 1, futex wake
//
// Either the waker's 3 sees the sleeper's 1, or the sleeper's 3 sees the waker's 1 (both fences
// are sequentially consistent). A wake between 3 and 4 of the sleeper has changed the epoch, so
// the futex does not sleep.
//
// A sleeper that was killed leaves the bit set: the first wake that wakes nobody clears it, unless
// someone has announced himself meanwhile (then the epoch differs and the exchange fails). A waker
// that dies between 1 and 4 costs the sleeper one liveness interval: nobody sleeps longer
// than that without looking.
#pragma once

#include "ringpipe/shm/futex.hpp"

namespace ringpipe::wait_word {

inline constexpr std::uint32_t sleeping = 1;

// Sleeper's step 1. Returns what to sleep on.
inline std::uint32_t announce(std::atomic<std::uint32_t>& word) {
    auto seen = word.load(std::memory_order_relaxed);
    while (!word.compare_exchange_weak(seen, (seen + 2) | sleeping, std::memory_order_seq_cst)) {}
    return (seen + 2) | sleeping;
}

// Waker's step 3. Relaxed: the fence before it orders.
inline bool announced(const std::atomic<std::uint32_t>& word) {
    return (word.load(std::memory_order_relaxed) & sleeping) != 0;
}

// Waker's step 4.
inline void wake(std::atomic<std::uint32_t>& word, int count) {
    auto changed = word.fetch_add(2, std::memory_order_seq_cst) + 2;
    if (futex::wake(word, count) == 0) {
        word.compare_exchange_strong(changed, changed & ~sleeping, std::memory_order_seq_cst);
    }
}

}  // namespace ringpipe::wait_word
