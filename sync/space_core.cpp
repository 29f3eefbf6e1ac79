#include "sync/space_core.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/interprocess/exceptions.hpp>

#include <cstdlib>
#include <string_view>

#include "common/error.hpp"
#include "sync/lock_order.hpp"

namespace ringpipe::sync {
namespace {

namespace ipc = boost::interprocess;

ipc::mapped_region map(const space_file& file) {
    try {
        return {file, ipc::read_write, 0, static_cast<std::size_t>(file.shape().file_size())};
    } catch (const ipc::interprocess_exception& failed) {
        throw error{errc::io, fmt::format("cannot map space {}", file.name()),
                    failed.get_native_error()};
    }
}

}  // namespace

space_core::space_core(const std::string& name, open_mode how, const space_options& options,
                       deadline until)
    : file_{name, how, options, until},
      liveness_interval_{std::chrono::nanoseconds{file_.shape().liveness_interval_ns}},
      region_{map(file_)},
      presence_{file_.path(), file_.descriptor()} {
    const auto& shape = file_.shape();
    auto* const start = static_cast<std::byte*>(region_.get_address());
    header_ = reinterpret_cast<layout::space_header*>(start);
    members_ = {reinterpret_cast<layout::member*>(start + layout::members_offset()), shape.members};
    entries_ = {reinterpret_cast<layout::entry*>(start + layout::entries_offset(shape.members)),
                shape.entries};
    arena_ = {start + shape.arena_offset(), shape.arena_size};

    slot_ = take_slot();
    auto& mine = members_[slot_];
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
    auto ever = header_->slots_ever.load(std::memory_order_relaxed);
    while (ever <= slot_ &&
           !header_->slots_ever.compare_exchange_weak(ever, slot_ + 1, std::memory_order_seq_cst)) {
    }
    const char* const asked = std::getenv("RINGPIPE_LOCK_ORDER");
    if (options.lock_order.value_or(asked != nullptr && std::string_view{asked} == "1")) {
        order_ = std::make_unique<lock_order>(*this);
    }
}

space_core::~space_core() = default;

std::uint32_t space_core::take_slot() {
    for (std::uint32_t slot = 0; slot < members(); ++slot) {
        if (presence_.try_hold(slot)) { return slot; }
    }
    throw error{errc::members_full,
                fmt::format("cannot attach to space {}: all {} slots of its member table are in "
                            "use; stop a process that uses it, or make the space with more members",
                            name(), members())};
}

bool space_core::alive(layout::member_id who) const {
    const auto slot = layout::slot_of(who);
    if (slot >= members_.size()) { return false; }
    // The incarnation last: a successor raises it only once he holds the byte. Were it looked at
    // first, `who` could die and be followed between the two.
    return is_held(file_.descriptor(), file_.inode(), slot) &&
           layout::make_member_id(
               slot, members_[slot].incarnation.load(std::memory_order_acquire)) == who;
}

std::uint32_t space_core::pid_of(std::uint32_t slot) const {
    return slot < members_.size() ? members_[slot].pid.load(std::memory_order_relaxed) : 0;
}

std::string space_core::who(layout::member_id member) const {
    const auto slot = layout::slot_of(member);
    if (slot >= members_.size()) { return "an unknown process"; }
    const auto now =
        layout::make_member_id(slot, members_[slot].incarnation.load(std::memory_order_acquire));
    return now == member ? fmt::format("process {}", pid_of(slot))
                         : fmt::format("an earlier process of slot {}", slot);
}

void space_core::refuse_in_child() const {
    throw error{errc::forked,
                fmt::format("this handle of space {} belongs to the parent process; after fork() "
                            "open the space again in the child",
                            name())};
}

}  // namespace ringpipe::sync
