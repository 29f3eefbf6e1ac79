#include "tests/support/segment_view.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "common/unique_fd.hpp"

namespace ringpipe::test {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace

segment_view::segment_view(const std::string& path) {
    const unique_fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file) { fail("open " + path); }
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) { fail("fstat " + path); }
    size_ = static_cast<std::size_t>(about.st_size);
    auto* mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) { fail("mmap " + path); }
    base_ = static_cast<std::byte*>(mapped);
    members_ = control().members;
    header_size_ = control().header_size;
    capacity_ = control().capacity;
    if (control().magic != layout::magic_ready || header_size_ + capacity_ > size_) {
        throw std::runtime_error{path + " is not a finished ring"};
    }
}

segment_view::~segment_view() { ::munmap(base_, size_); }

std::uint32_t segment_view::slot_of_pid(int pid) const {
    for (std::uint32_t slot = 0; slot < members_; ++slot) {
        if (member(slot).what != layout::role::none &&
            member(slot).pid == static_cast<std::uint32_t>(pid)) {
            return slot;
        }
    }
    throw std::runtime_error{"no member of this pid"};
}

layout::member_id segment_view::member_in(std::uint32_t slot) const {
    return layout::make_member_id(slot, member(slot).incarnation);
}

layout::member_id segment_view::bury_member(std::uint32_t slot, layout::role what,
                                            std::uint32_t which) const {
    auto& m = member(slot);
    m.incarnation = m.incarnation + 1;
    m.group = which;
    m.generation = group(which).generation.load();
    m.pid = 1;
    if (what == layout::role::consumer) {
        group(which).members[slot / 64].fetch_or(std::uint64_t{1} << (slot % 64));
        ++group(which).member_count;
    }
    if (what == layout::role::producer) { ++control().producers_ever; }
    m.what = what;
    return member_in(slot);
}

void segment_view::bury_lease(layout::member_id dead, layout::position begin, layout::position end,
                              std::uint32_t which) const {
    auto& lease = member(layout::slot_of(dead)).lease;
    lease.end = 0;
    lease.begin = begin;
    lease.owner = dead;
    lease.group = which;
    lease.generation = group(which).generation.load();
    lease.attempt_position = begin;
    lease.attempts = 0;
    lease.returned = 0;
    lease.end = end;
}

layout::position segment_view::forge_message(layout::position position, std::uint64_t sequence,
                                             std::string_view text, layout::member_id who,
                                             layout::word::state state) const {
    const auto end = position + layout::stride_of(text.size());
    header(end).word = 0;
    std::memcpy(payload(position), text.data(), text.size());
    header(position).sequence = sequence;
    if (state != layout::word::nothing) {
        header(position).word = layout::word::make(state, text.size(), who);
    }
    return end;
}

bool byte_is_held(const std::string& path, std::uint32_t slot) {
    const unique_fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file) { fail("open " + path); }
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = slot;
    range.l_len = 1;
    if (::fcntl(file.get(), F_OFD_GETLK, &range) != 0) { fail("F_OFD_GETLK"); }
    return range.l_type != F_UNLCK;
}

}  // namespace ringpipe::test
