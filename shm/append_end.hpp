// What a producer does: find room, write, commit, wake.
#pragma once

#include <optional>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/append_lock.hpp"
#include "ringpipe/shm/loan.hpp"
#include "ringpipe/shm/membership.hpp"
#include "ringpipe/shm/producer.hpp"
#include "ringpipe/shm/spin.hpp"

namespace ringpipe {

class append_end {
  public:
    append_end(std::shared_ptr<segment> where, const producer_options& options);

    bool send_until(std::span<const std::byte> payload, deadline until);
    // `ids`: none, or one for each.
    bool send_batch_until(producer::batch payloads, std::span<const std::uint64_t> ids,
                          deadline until);
    [[nodiscard]] std::optional<std::uint64_t> last_id() const;
    loan lend_until(std::size_t size, deadline until);

    // See producer.hpp.
    bool has_room_until(std::uint64_t stride, deadline until);
    std::optional<wait_point> announce_wait(std::uint64_t stride);
    void leave_line();

    // For loans, each exactly once. Behind a close() there is nothing left to commit:
    // error(closed).
    void commit(layout::position at, std::uint64_t word, std::size_t size);
    void discard(layout::position at, std::uint64_t word) noexcept;

    // The member is gone; then everybody who waits looks whether that was the end.
    static void leave(std::unique_ptr<append_end> end) noexcept;

    // The stream will be reported as truncated.
    void mark_truncated() noexcept;
    [[nodiscard]] bool has_open_loans() const { return open_loans_ != 0; }
    [[nodiscard]] bool forked() const { return member_ && member_->forked(); }

  private:
    // Takes the tail lock with `stride` bytes and one header free behind the tail. False: not until
    // then, and the lock is not held.
    bool lock_with_room(std::uint64_t stride, deadline until);
    [[gnu::noinline]] bool wait_for_room(std::uint64_t stride, deadline until);
    void press_groups(layout::position wanted, deadline until);
    void sleep_for_room(std::optional<layout::position> wanted, deadline until);
    [[nodiscard]] layout::position worth_waking_for(layout::position end) const;
    void settle_loan() noexcept;

    layout::message_header& begin_message(layout::position at, std::uint64_t sequence);
    void advance(layout::position tail, std::uint64_t sequence);
    void unlock_and_wake();
    void wake_groups();
    // Out of line, as all that is not on the way of each message: a function that calls nothing
    // saves no registers.
    [[gnu::noinline]] void wake_sleepers();
    [[gnu::noinline]] bool send_as_loan(std::span<const std::byte> payload, deadline until);
    void refuse_ids_unless_named(std::size_t messages, std::size_t ids) const;
    void refuse_if_too_large(std::uint64_t stride, std::uint64_t size, const char* what) const;

    std::shared_ptr<segment> where_;
    std::optional<membership> member_;  // none: left, and only open loans keep this object
    append_lock lock_;
    message_view view_;
    layout::append_side& side_;
    layout::sleepers& sleepers_;
    spinner spinner_;
    layout::named_producer* name_ = nullptr;
    std::uint32_t open_loans_ = 0;
};

}  // namespace ringpipe
