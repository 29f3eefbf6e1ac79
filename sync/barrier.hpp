// A barrier between processes that tells of a party that died.
//
// Each `barrier` object is one party and has one of the seats. A phase is over when every seat has
// arrived; what a party did before it died or left counts: an arrival stands. While a seat whose
// party is gone has not arrived, the others are told, instead of waiting for ever; a new party may
// take that seat, and then the same phase goes on. Seats that nobody has taken yet are waited for.
// When no party is left at all, the next one begins anew.
#pragma once

#include "ringpipe/sync/deadline_of.hpp"
#include "ringpipe/sync/space_core.hpp"

namespace ringpipe::sync {

// For one thread at a time: an object for each party.
class barrier {
  public:
    static constexpr std::uint32_t max_parties = 4096;

    // Takes a seat of the space's barrier of that name; makes it with so many if there is none.
    // Throws error(members_full) if all seats are taken by the living; error(invalid_name |
    // invalid_argument | options_differ | names_full | no_space).
    barrier(const space& where, std::string_view name, std::uint32_t parties);
    // One that is there. Throws error(not_found), too.
    barrier(const space& where, std::string_view name);
    barrier(const barrier&) = delete;
    barrier& operator=(const barrier&) = delete;
    // Leaves: the others are told, if they wait for this party.
    ~barrier();

    // Arrives, and waits until all have. Throws error(party_died) when it waits for a party that is
    // gone; this one's arrival stands, and the next call goes on waiting for the same phase.
    void arrive_and_wait() { (void)arrive_and_wait_to(never); }
    // False if the time is over: the arrival stands, and the next call goes on waiting.
    template <class Rep, class Period>
    [[nodiscard]] bool arrive_and_wait_for(std::chrono::duration<Rep, Period> timeout) {
        return arrive_and_wait_to(after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool arrive_and_wait_until(std::chrono::time_point<Clock, Duration> until) {
        return arrive_and_wait_to(deadline_of(until));
    }

    [[nodiscard]] std::uint32_t parties() const {
        return static_cast<std::uint32_t>(seats_.size());
    }
    // Phases completed so far.
    [[nodiscard]] std::uint64_t phase() const {
        return body_->phase.load(std::memory_order_acquire);
    }

  private:
    barrier(const space& where, const wanted_entry& wanted, std::string_view name);

    void take_seat(std::string_view name);
    void begin_anew_if_all_are_gone();
    [[nodiscard]] bool is_gone(std::uint64_t word) const;
    bool arrive_and_wait_to(deadline until);
    void complete(std::uint64_t phase);
    void throw_if_one_is_gone(std::uint64_t phase) const;

    std::shared_ptr<space_core> core_;
    layout::barrier_body* body_ = nullptr;
    std::span<layout::seat> seats_;
    layout::member_id me_ = 0;
    std::uint32_t seat_ = 0;
    std::optional<std::uint64_t> arrived_in_;  // and not told yet that it is over
};

}  // namespace ringpipe::sync
