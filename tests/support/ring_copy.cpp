#include "tests/support/ring_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "tests/support/segment_view.hpp"

namespace ringpipe::test {
namespace {

constexpr off_t creation_byte = off_t{1} << 40;

struct flock byte_at(off_t where) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = where;
    range.l_len = 1;
    return range;
}

bool is_locked(int file, off_t where) {
    auto range = byte_at(where);
    return ::fcntl(file, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace

ring_state look_at(const std::string& path, std::uint32_t slots) {
    ring_state state;
    const unique_fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file) { return state; }
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) { fail("fstat " + path); }
    state.exists = true;
    state.mode = about.st_mode & 0777U;
    state.bytes.resize(static_cast<std::size_t>(about.st_size));
    if (!state.bytes.empty() &&
        ::pread(file.get(), state.bytes.data(), state.bytes.size(), 0) < 0) {
        fail("read " + path);
    }
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
        if (is_locked(file.get(), slot)) { state.held |= std::uint64_t{1} << slot; }
    }
    if (is_locked(file.get(), creation_byte)) { state.held |= std::uint64_t{1} << 63U; }
    return state;
}

void write_copy(const ring_state& state, const std::string& path) {
    ::unlink(path.c_str());
    if (!state.exists) { return; }
    const unique_fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!file) { fail("create " + path); }
    if (!state.bytes.empty() && ::pwrite(file.get(), state.bytes.data(), state.bytes.size(), 0) !=
                                    static_cast<ssize_t>(state.bytes.size())) {
        fail("write " + path);
    }
    ::fchmod(file.get(), state.mode);
}

std::uint64_t hash_of(const ring_state& state) {
    const std::string_view bytes{reinterpret_cast<const char*>(state.bytes.data()),
                                 state.bytes.size()};
    const auto rest = (state.held * 8191U + state.mode) * 2U + (state.exists ? 1U : 0U);
    return std::hash<std::string_view>{}(bytes)*0x9e3779b97f4a7c15U + rest;
}

held_slots::held_slots(const std::string& path, const std::vector<std::uint32_t>& slots) {
    if (slots.empty()) { return; }
    file_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file_) { fail("open " + path); }
    for (const auto slot : slots) {
        auto range = byte_at(slot);
        if (::fcntl(file_.get(), F_OFD_SETLK, &range) != 0) { fail("F_OFD_SETLK"); }
        // As every attach does: or who was there before would look alive.
        ++segment_view{path}.member(slot).incarnation;
    }
}

}  // namespace ringpipe::test
