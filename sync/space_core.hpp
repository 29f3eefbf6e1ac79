// A space, mapped, and this process's place among its members.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ringpipe/shm/presence.hpp"
#include "ringpipe/shm/roster.hpp"
#include "ringpipe/sync/layout.hpp"
#include "ringpipe/sync/space_map.hpp"

namespace ringpipe::sync {

class lock_order;

// A primitive's bytes in the arena, and its number in the directory. Valid as long as the core.
struct place {
    std::byte* at = nullptr;
    std::uint64_t parameter = 0;
    std::uint32_t index = 0;

    template <class Body>
    [[nodiscard]] Body* as() const {
        return reinterpret_cast<Body*>(at);
    }
};

// What a primitive wants to be.
struct wanted_entry {
    layout::kind what = layout::kind::none;
    std::string_view name;
    // Nothing: there has to be one already, and whatever it has is right.
    std::optional<std::uint64_t> parameter = {};
    std::uint64_t (*size_for)(std::uint64_t parameter, std::uint32_t members) = nullptr;
    // Fills a new body, which is zero.
    std::function<void(std::byte*)> initialize = {};
};

// Thread-safe: what is here is either constant or atomic in the segment.
class space_core final : public roster {
  public:
    // Throws error(members_full).
    space_core(const std::string& name, open_mode how, const space_options& options,
               deadline until);
    ~space_core() override;

    // This process's member id. Throws error(forked) in a child.
    [[nodiscard]] layout::member_id id() const {
        if (presence_.forked()) [[unlikely]] { refuse_in_child(); }
        return id_;
    }
    [[nodiscard]] bool forked() const { return presence_.forked(); }
    [[nodiscard]] std::uint32_t slot() const { return slot_; }

    // The debug mode, or null.
    [[nodiscard]] lock_order* order() const { return order_.get(); }
    [[nodiscard]] std::uint64_t inode() const { return map_.file().inode(); }

    [[nodiscard]] const std::string& name() const { return map_.file().name(); }
    [[nodiscard]] std::uint32_t members() const {
        return static_cast<std::uint32_t>(map_.members().size());
    }
    // The slots that anybody ever had. Sequentially consistent: whoever has announced what he wants
    // and then looks at these slots misses nobody who has looked before.
    [[nodiscard]] std::uint32_t slots_ever() const { return map_.slots_ever(); }

    [[nodiscard]] bool alive(layout::member_id who) const override { return map_.alive(who); }
    [[nodiscard]] clock::duration liveness_interval() const override { return liveness_interval_; }
    [[nodiscard]] std::uint32_t pid_of(std::uint32_t slot) const override {
        return map_.pid_of(slot);
    }
    [[nodiscard]] std::string title() const override { return "space " + name(); }
    // "process 4711", for errors.
    [[nodiscard]] std::string who(layout::member_id member) const;

    // Process-safe. Throws error(invalid_name | not_found | options_differ | names_full | corrupt).
    [[nodiscard]] place find_or_make(const wanted_entry& wanted) const;
    [[nodiscard]] std::string name_of(std::uint32_t index) const;
    [[nodiscard]] std::uint32_t entries() const {
        return static_cast<std::uint32_t>(map_.entries().size());
    }

  private:
    [[noreturn]] void refuse_in_child() const;
    [[nodiscard]] std::uint32_t take_slot();
    [[nodiscard]] bool names_anywhere(layout::member_id who) const;
    [[nodiscard]] std::optional<place> find(const wanted_entry& wanted) const;
    [[nodiscard]] place make(const wanted_entry& wanted) const;

    space_map map_;
    clock::duration liveness_interval_;
    presence presence_;
    std::uint32_t slot_;
    layout::member_id id_ = 0;
    std::unique_ptr<lock_order> order_;
};

}  // namespace ringpipe::sync
