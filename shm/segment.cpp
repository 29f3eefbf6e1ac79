#include "shm/segment.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <boost/interprocess/exceptions.hpp>
#include <cerrno>
#include <utility>

#include "common/error.hpp"
#include "shm/presence.hpp"

namespace ringpipe {
namespace {

namespace ipc = boost::interprocess;

// Address space that nobody else maps into meanwhile. Shrinks from the front as regions take
// their places in it; what is left goes back, so an exception leaves nothing behind.
class reservation {
  public:
    explicit reservation(std::size_t size) : size_{size} {
        auto* const at =
            ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) {
            throw error{errc::no_space,
                        fmt::format("cannot reserve {} bytes of address space for the ring", size),
                        errno};
        }
        at_ = static_cast<std::byte*>(at);
    }
    reservation(const reservation&) = delete;
    reservation& operator=(const reservation&) = delete;
    ~reservation() {
        if (size_ != 0) { ::munmap(at_, size_); }
    }

    // Maps that part of the file over the front of what is left.
    ipc::mapped_region place(const segment_file& file, std::uint64_t offset, std::size_t size) {
        // MAP_FIXED: without it an address is a mere hint.
        ipc::mapped_region region{
            file, ipc::read_write,       static_cast<ipc::offset_t>(offset), size,
            at_,  MAP_SHARED | MAP_FIXED};
        at_ += size;
        size_ -= size;
        return region;
    }

  private:
    std::byte* at_;
    std::size_t size_;
};

}  // namespace

void throw_corrupt(const char* what, layout::position at) {
    throw error{errc::corrupt, fmt::format("the ring is corrupt: {} (position {}); stop its "
                                           "programs and remove it with 'ringpipe rm'",
                                           what, at)};
}

segment::segment(std::string name, open_mode how, const ring_options& options, deadline until)
    : file_{std::move(name), how, options, until},
      capacity_{file_.shape().capacity},
      liveness_interval_{std::chrono::nanoseconds{file_.shape().liveness_interval_ns}} {
    const auto& shape = file_.shape();
    try {
        reservation space{shape.file_size() + capacity_};
        first_ = space.place(file_, 0, shape.file_size());
        second_ = space.place(file_, shape.header_size, capacity_);
    } catch (const ipc::interprocess_exception& failed) {
        throw error{errc::io, fmt::format("cannot map ring {}", file_.name()),
                    failed.get_native_error()};
    }
    header_ = part<layout::control_header>(0);
    append_ = part<layout::append_side>(layout::append_offset());
    room_ = part<layout::room>(layout::room_offset());
    sleepers_ = part<layout::sleepers>(layout::sleepers_offset());
    members_ = {part<layout::member>(layout::members_offset()), shape.members};
    groups_ = {part<layout::group>(layout::groups_offset(shape.members)), shape.groups};
    named_ = {part<layout::named_producer>(layout::named_offset(shape.members, shape.groups)),
              layout::max_named};
    view_ = {part<std::byte>(shape.header_size), capacity_ - layout::header_bytes};
}

template <class T>
T* segment::part(std::size_t offset) const {
    return reinterpret_cast<T*>(static_cast<std::byte*>(first_.get_address()) + offset);
}

bool segment::occupied(std::uint32_t slot) const {
    return is_held(file_.descriptor(), file_.inode(), slot);
}

bool segment::alive(layout::member_id who) const {
    const auto slot = layout::slot_of(who);
    if (slot >= members_.size()) { return false; }
    const auto current = [&] {
        return layout::make_member_id(slot,
                                      members_[slot].incarnation.load(std::memory_order_acquire));
    };
    // The incarnation last: a successor raises it only once he holds the byte. Were it looked at
    // first, `who` could die and be followed between the two.
    return occupied(slot) && current() == who;
}

}  // namespace ringpipe
