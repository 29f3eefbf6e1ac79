// Attach to a ring, leave it, and clean up after a dead predecessor in the same slot.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ringpipe/shm/presence.hpp"
#include "ringpipe/shm/segment.hpp"

namespace ringpipe {

// What a consumer joins.
struct group_place {
    std::uint32_t index = 0;
    std::uint64_t generation = 0;
};

// A slot of the member table, held as long as this object lives.
class membership {
  public:
    // `group`: an orphan lease of that group in the slot is welcome. Throws error(members_full).
    membership(std::shared_ptr<segment> where, layout::role what, const std::string& name,
               std::optional<group_place> group = {});
    membership(const membership&) = delete;
    membership& operator=(const membership&) = delete;

    // Frees the slot: whoever looks from now on sees that this member left cleanly. In a forked
    // child it does nothing: the slot is the parent's.
    ~membership();

    // Throws error(forked) in a child.
    [[nodiscard]] layout::member_id id() const {
        if (presence_.forked()) [[unlikely]] { refuse_in_child(); }
        return id_;
    }
    [[nodiscard]] bool forked() const { return presence_.forked(); }
    [[nodiscard]] std::uint32_t slot() const { return slot_; }
    [[nodiscard]] layout::member& entry() const { return *entry_; }
    [[nodiscard]] const std::shared_ptr<segment>& where() const { return where_; }

    // So many more sent, or leased. Nobody else writes this line while we live: a store to the own
    // cache.
    void count(std::uint64_t messages) const {
        auto& mine = entry().messages;
        mine.store(mine.load(std::memory_order_relaxed) + messages, std::memory_order_relaxed);
    }
    void tell_wish(layout::wish what) const {
        entry().waits_for.store(what, std::memory_order_relaxed);
    }

    // Says what this member is, and so makes it count. For consumers: tail lock held.
    void announce(std::optional<group_place> group = {});

  private:
    [[noreturn]] static void refuse_in_child();
    [[nodiscard]] std::uint32_t take_slot(std::optional<group_place> group);
    void clean_up_predecessor();

    std::shared_ptr<segment> where_;
    presence presence_;
    layout::role what_;
    std::uint32_t slot_;
    layout::member* entry_;
    layout::member_id id_ = 0;
};

}  // namespace ringpipe
