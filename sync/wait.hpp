// The wait of all primitives but the mutex: look, spin, announce, look again, sleep; ask for the dead.
#pragma once

#include <algorithm>

#include "ringpipe/shm/cpu.hpp"
#include "ringpipe/shm/wait_word.hpp"
#include "ringpipe/sync/space_core.hpp"

namespace ringpipe::sync {

enum class look {
    quick,
    thorough,  // ask who is alive, too; and clear away what the dead left
};

// True once `found(look)` is; false at `until`. Whoever changes what is waited for wakes `word`
// (wake_if_announced). Killed before that, he costs the sleepers one liveness interval: then they
// look by themselves, thoroughly. deadline::min() sleeps never, and looks thoroughly once.
template <class Found>
bool wait_until(std::atomic<std::uint32_t>& word, const space_core& where, deadline until,
                Found found) {
    if (found(look::quick)) { return true; }
    if (until == deadline::min()) { return found(look::thorough); }
    constexpr int spins = 100;  // longer than this, and who is waited for is not running
    for (int i = 0; i < spins; ++i) {
        cpu_relax();
        if (found(look::quick)) { return true; }
    }
    auto ask_at = clock::now() + where.liveness_interval();
    for (;;) {
        const auto expected = wait_word::announce(word);
        full_fence_after_rmw();  // pairs with the waker's: see wait_word.hpp
        if (found(look::quick)) { return true; }
        futex::wait(word, expected, std::min(until, ask_at));
        const auto now = clock::now();
        const bool ask = now >= ask_at || now >= until;
        if (found(ask ? look::thorough : look::quick)) { return true; }
        if (now >= until) { return false; }
        if (ask) { ask_at = now + where.liveness_interval(); }
    }
}

// Behind a sequentially consistent read-modify-write that changed what is waited for.
inline void wake_if_announced(std::atomic<std::uint32_t>& word, int count) {
    full_fence_after_rmw();
    if (wait_word::announced(word)) [[unlikely]] { wait_word::wake(word, count); }
}

// Who is alive, asked once for each of many.
class living {
  public:
    explicit living(const space_core& where) : where_{where} {}

    [[nodiscard]] bool operator()(layout::member_id who) {
        if (who == last_) { return last_lives_; }
        last_ = who;
        return last_lives_ = where_.alive(who);
    }

  private:
    const space_core& where_;
    layout::member_id last_ = 0;
    bool last_lives_ = false;
};

}  // namespace ringpipe::sync
