// A counting semaphore whose units have holders: what a process holds comes back when it dies.
//
//     sync::semaphore seats{space, "seats", 3};
//     const std::lock_guard sit{seats};       // or acquire() and release()
//
// Taking a free unit is one compare-exchange, giving it back another. For a count that one process
// raises and another lowers, see counting_semaphore.hpp.
#pragma once

#include "ringpipe/sync/deadline_of.hpp"
#include "ringpipe/sync/space_core.hpp"
#include "ringpipe/sync/wait.hpp"

namespace ringpipe::sync {

// Thread-safe. What one thread acquired, another of the same process may release.
class semaphore {
  public:
    static constexpr std::uint32_t max_units = 65536;

    // Opens the space's semaphore of that name, or makes it with so many units. Throws
    // error(invalid_name | invalid_argument | options_differ | names_full | no_space).
    semaphore(const space& where, std::string_view name, std::uint32_t units);
    // Opens one that is there. Throws error(not_found).
    semaphore(const space& where, std::string_view name);
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;

    void acquire() { (void)take_until(never); }
    // Does not wait, but takes units from the dead. May fail while units change hands.
    [[nodiscard]] bool try_acquire() { return take_until(deadline::min()); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_acquire_for(std::chrono::duration<Rep, Period> timeout) {
        return take_until(after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_acquire_until(std::chrono::time_point<Clock, Duration> until) {
        return take_until(deadline_of(until));
    }
    // Throws error(not_held) if this process holds none. In a forked child it does nothing.
    void release() {
        if (core_->forked()) [[unlikely]] { return; }
        const auto me = core_->id();
        if (!give_back(hint_.load(std::memory_order_relaxed), me)) { find_and_give_back(me); }
    }

    // So that lock_guard and unique_lock hold a unit.
    void lock() { acquire(); }
    [[nodiscard]] bool try_lock() { return try_acquire(); }
    void unlock() { release(); }

    [[nodiscard]] std::uint32_t units() const { return static_cast<std::uint32_t>(tokens_.size()); }
    // Units that nobody living holds, as of now; asks who is alive.
    [[nodiscard]] std::uint32_t available() const;

  private:
    semaphore(const space& where, const wanted_entry& wanted);

    bool take_until(deadline until) {
        const auto me = core_->id();
        return take(hint_.load(std::memory_order_relaxed), me) || wait_and_take(me, until);
    }
    bool take(std::uint32_t token, layout::member_id me) {
        std::uint32_t nobody = 0;
        // Acquire: pairs with the release in give_back().
        return tokens_[token].compare_exchange_strong(nobody, me, std::memory_order_acquire,
                                                      std::memory_order_relaxed);
    }
    bool give_back(std::uint32_t token, layout::member_id me) {
        // Sequentially consistent, which costs the same here: it comes before the look at who
        // waits.
        if (!tokens_[token].compare_exchange_strong(me, 0, std::memory_order_seq_cst,
                                                    std::memory_order_relaxed)) {
            return false;
        }
        wake_if_announced(body_->waiting, 1);
        return true;
    }
    bool take_any(layout::member_id me);
    bool wait_and_take(layout::member_id me, deadline until);
    void find_and_give_back(layout::member_id me);
    void free_dead_ones();

    std::shared_ptr<space_core> core_;
    layout::semaphore_body* body_;
    std::span<std::atomic<std::uint32_t>> tokens_;
    // The token taken or given back last: the next one to try, in either direction.
    std::atomic<std::uint32_t> hint_{0};
};

}  // namespace ringpipe::sync
