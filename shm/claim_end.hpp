// What a consumer does when its lease is used up: claim, wait, adopt, see the end.
#pragma once

#include "ringpipe/shm/consumer.hpp"
#include "ringpipe/shm/distance.hpp"
#include "ringpipe/shm/group_lock.hpp"
#include "ringpipe/shm/group_table.hpp"
#include "ringpipe/shm/membership.hpp"
#include "ringpipe/shm/spin.hpp"

namespace ringpipe {

class claim_end {
  public:
    claim_end(const ring& from, const consumer_options& options, consumer& front);

    // Goes on until `front` has received a message, the deadline, or the end.
    receive_status claim_and_receive(consumer& front, message& received, deadline until);

    // Lets waiting producers have what `front` has acknowledged.
    void release_until(deadline until);

    // See consumer.hpp.
    wait_point announce_wait();
    [[nodiscard]] bool can_lease() const { return inherited_ || can_claim(); }
    [[nodiscard]] bool ending() const { return ending_; }
    void pass_on_wake();
    [[nodiscard]] clock::duration liveness_interval() const { return where_->liveness_interval(); }

    void leave(layout::position received) noexcept;

    // See consumer.hpp.
    bool reject_until(consumer& front, const message& returned, clock::duration delay,
                      deadline until);
    std::uint32_t count_attempt(consumer& front, const message& again);
    [[nodiscard]] std::uint32_t attempts_of(const message& one) const;
    bool bury(consumer& front, const message& dead, std::uint32_t attempts, std::string_view why);
    [[nodiscard]] std::uint64_t buried() const { return buried_; }

    [[nodiscard]] bool truncated() const;
    [[nodiscard]] bool forked() const { return member_.forked(); }

  private:
    enum class outcome { leased, again, nothing, timed_out, end };

    struct run {
        layout::position end = 0;
        std::uint64_t messages = 0;
        std::uint64_t last_sequence = 0;
    };

    void join(const consumer_options& options, consumer& front);
    outcome claim(consumer& front, deadline until);
    outcome lease_next(consumer& front);
    outcome look_for_end(consumer& front, deadline until);
    run walk(layout::position from, std::uint64_t messages, std::uint64_t bytes) const;
    void show_lease(consumer& front, bool adopted) const;
    void refuse_endless_chain() const;
    [[noreturn]] void refuse_unacknowledged() const;
    [[nodiscard]] bool lease_waits_in_our_slot() const;
    bool spin(const consumer& front, deadline until);
    std::uint32_t announce_sleep();
    bool a_producer_is_attached();
    static clock::time_point pause_until(clock::time_point stop);
    void adapt_share();
    void skip_discarded(consumer& front) const;
    bool receive_or_bury(consumer& front, message& received);
    void refuse_unless_first(const consumer& front, const message& one) const;

    // A message, or what is left of a discarded one, can be claimed there, as far as a look without
    // the lock can tell.
    [[nodiscard]] bool settled_at(layout::position at) const {
        return layout::word::state_of(view_.peek(at)) >= layout::word::committed;
    }
    [[nodiscard]] bool can_claim() const {
        return settled_at(claim_position()) && !lease_waits_in_our_slot();
    }
    [[nodiscard]] layout::position claim_position() const {
        return group_->claim.load(std::memory_order_relaxed);
    }

    ring ring_;
    std::shared_ptr<segment> where_;
    message_view view_;
    membership member_;
    group_place place_;
    layout::group* group_ = nullptr;
    group_lock lock_;
    layout::lease* lease_;
    spinner spinner_;

    // How much to lease at a time: starts with one message, doubles while leases are used up
    // quickly, shrinks when the handler is slow, so that others get their share.
    std::uint64_t share_ = 1;
    std::uint64_t prefetch_;
    std::uint32_t max_attempts_;
    std::uint64_t buried_ = 0;
    std::uint64_t bytes_per_lease_;
    clock::duration now_{};  // of the coarse clock, since we last had time to look at it
    clock::duration leased_at_{};

    distance distance_;
    std::uint64_t messages_since_dry_ = 0;

    layout::position released_to_ = 0;
    clock::duration next_look_for_dead_{};  // of the coarse clock
    std::uint32_t last_producer_ = 0;       // slot where one was seen last
    bool inherited_ = false;                // adopted when we joined, and not received from yet
    bool ending_ = false;                   // no producer was attached when we last looked
    bool left_ = false;
};

}  // namespace ringpipe
