#include "sync/space_core.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "common/error.hpp"
#include "sync/lock_order.hpp"

namespace ringpipe::sync {

space_core::space_core(const std::string& name, open_mode how, const space_options& options,
                       deadline until)
    : map_{name, how, options, until},
      liveness_interval_{std::chrono::nanoseconds{map_.file().shape().liveness_interval_ns}},
      presence_{map_.file().path(), map_.file().descriptor()} {
    slot_ = take_slot();
    auto& mine = map_.members()[slot_];
    // A member id has 16 bits of the incarnation: what somebody died with 65,536 attaches ago would
    // be ours. Bounded, whatever others wrote into the segment.
    auto incarnation = mine.incarnation.load(std::memory_order_relaxed) + 1;
    for (int tries = 0; tries < 64; ++tries, ++incarnation) {
        id_ = layout::make_member_id(slot_, incarnation);
        if (!names_anywhere(id_)) { break; }
    }
    mine.pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
    // The byte is ours: nobody else writes here. From this store on the predecessor is dead to all.
    mine.incarnation.store(incarnation, std::memory_order_release);
    auto ever = map_.header().slots_ever.load(std::memory_order_relaxed);
    while (ever <= slot_ && !map_.header().slots_ever.compare_exchange_weak(
                                ever, slot_ + 1, std::memory_order_seq_cst)) {}
    map_.file().mark_used();
    const char* const asked = std::getenv("RINGPIPE_LOCK_ORDER");
    if (options.lock_order.value_or(asked != nullptr && std::string_view{asked} == "1")) {
        order_ = std::make_unique<lock_order>(*this);
    }
}

space_core::~space_core() {
    if (!forked()) { map_.file().mark_used(); }
}

std::uint32_t space_core::take_slot() {
    for (std::uint32_t slot = 0; slot < members(); ++slot) {
        if (presence_.try_hold(slot)) { return slot; }
    }
    throw error{errc::members_full,
                fmt::format("cannot attach to space {}: all {} slots of its member table are in "
                            "use; stop a process that uses it, or make the space with more members",
                            name(), members())};
}

std::string space_core::who(layout::member_id member) const {
    const auto slot = layout::slot_of(member);
    if (slot >= members()) { return "an unknown process"; }
    const auto pid = map_.pid_of_member(member);
    return pid != 0 ? fmt::format("process {}", pid)
                    : fmt::format("an earlier process of slot {}", slot);
}

void space_core::refuse_in_child() const {
    throw error{errc::forked,
                fmt::format("this handle of space {} belongs to the parent process; after fork() "
                            "open the space again in the child",
                            name())};
}

}  // namespace ringpipe::sync
