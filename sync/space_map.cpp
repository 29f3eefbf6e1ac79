#include "sync/space_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/interprocess/exceptions.hpp>
#include <cstring>

#include "common/error.hpp"
#include "shm/presence.hpp"

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

space_map::space_map(const std::string& name, open_mode how, const space_options& options,
                     deadline until)
    : file_{name, how, options, until}, region_{map(file_)} {
    const auto& shape = file_.shape();
    auto* const start = static_cast<std::byte*>(region_.get_address());
    header_ = reinterpret_cast<layout::space_header*>(start);
    members_ = {reinterpret_cast<layout::member*>(start + layout::members_offset()), shape.members};
    entries_ = {reinterpret_cast<layout::entry*>(start + layout::entries_offset(shape.members)),
                shape.entries};
    arena_ = {start + shape.arena_offset(), shape.arena_size};
}

std::uint32_t space_map::slots_ever() const {
    return std::min(header_->slots_ever.load(std::memory_order_seq_cst),
                    static_cast<std::uint32_t>(members_.size()));
}

bool space_map::is_taken(std::uint32_t slot) const {
    return is_held(file_.descriptor(), file_.inode(), slot);
}

bool space_map::alive(layout::member_id who) const {
    const auto slot = layout::slot_of(who);
    if (slot >= members_.size()) { return false; }
    // The incarnation last: a successor raises it only once he holds the byte. Were it looked at
    // first, `who` could die and be followed between the two.
    return is_taken(slot) && layout::make_member_id(slot, members_[slot].incarnation.load(
                                                              std::memory_order_acquire)) == who;
}

std::uint32_t space_map::pid_of(std::uint32_t slot) const {
    return slot < members_.size() ? members_[slot].pid.load(std::memory_order_relaxed) : 0;
}

std::uint32_t space_map::pid_of_member(layout::member_id who) const {
    const auto slot = layout::slot_of(who);
    if (slot >= members_.size()) { return 0; }
    const auto now =
        layout::make_member_id(slot, members_[slot].incarnation.load(std::memory_order_acquire));
    return now == who ? pid_of(slot) : 0;
}

std::string_view name_in(const layout::entry& e) {
    return {e.name, ::strnlen(e.name, sizeof e.name)};
}

std::string_view noun_of(layout::kind what) {
    switch (what) {
        case layout::kind::none: break;
        case layout::kind::mutex: return "mutex";
        case layout::kind::semaphore: return "semaphore";
        case layout::kind::counting_semaphore: return "counting_semaphore";
        case layout::kind::shared_mutex: return "shared_mutex";
        case layout::kind::event: return "event";
        case layout::kind::barrier: return "barrier";
        case layout::kind::cell: return "cell";
        case layout::kind::lock_order: return "lock order";
    }
    return "something unknown";
}

}  // namespace ringpipe::sync
