#include "shm/segment_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "common/error.hpp"
#include "shm/layout.hpp"
#include "shm/name.hpp"

namespace ringpipe {
namespace {

// Behind all members' bytes.
constexpr off_t creation_byte = off_t{1} << 40;

bool lock_for_creation(int descriptor) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = creation_byte;
    range.l_len = 1;
    return ::fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}

}  // namespace

segment_file::segment_file(std::string name, open_mode how, const ring_options& options,
                           deadline until)
    : name_{std::move(name)}, path_{path_of_ring(name_)} {
    try {
        auto nap = std::chrono::microseconds{50};
        for (;;) {
            const auto result = try_open(how, options);
            if (result == attempt::ready) { break; }
            if (clock::now() >= until) {
                throw error{
                    errc::unfinished,
                    fmt::format(
                        "cannot open ring {}: its creator has not finished it; wait for that, or "
                        "remove it with 'ringpipe rm {}'",
                        name_, name_)};
            }
            // The creator's progress cannot be waited for: before the magic there is nothing to
            // sleep on.
            const timespec pause{0, static_cast<long>(std::chrono::nanoseconds{nap}.count())};
            ::nanosleep(&pause, nullptr);
            nap = std::min(nap * 2, std::chrono::microseconds{5000});
        }
    } catch (...) {
        if (descriptor_ >= 0) { ::close(descriptor_); }
        throw;
    }
}

segment_file::~segment_file() {
    if (descriptor_ >= 0) { ::close(descriptor_); }
}

bool segment_file::path_still_names_us() const {
    struct stat named {};
    struct stat ours {};
    return ::stat(path_.c_str(), &named) == 0 && ::fstat(descriptor_, &ours) == 0 &&
           named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

segment_file::attempt segment_file::try_open(open_mode how, const ring_options& options) {
    if (descriptor_ >= 0) { ::close(std::exchange(descriptor_, -1)); }
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    descriptor_ = ::open(path_.c_str(), flags);
    // O_CREAT only where there is nothing: on another user's file in a sticky folder it is
    // forbidden.
    if (descriptor_ < 0 && errno == ENOENT && how != open_mode::open) {
        descriptor_ = ::open(path_.c_str(), flags | O_CREAT, 0600);
    }
    if (descriptor_ < 0) {
        switch (errno) {
            case ENOENT:
                if (how == open_mode::open) {
                    throw error{
                        errc::ring_not_found,
                        fmt::format(
                            "cannot open ring {}: there is none at {}; start a producer, or see "
                            "'ringpipe ls'",
                            name_, path_)};
                }
                throw error{
                    errc::io,
                    fmt::format("cannot create ring {}: the folder of {} does not exist; make it",
                                name_, path_)};
            case EISDIR:
                throw error{errc::not_a_ring,
                            fmt::format("cannot open ring {}: {} is a directory; name a file",
                                        name_, path_)};
            case EACCES:
            case EPERM:
            case EROFS:
                throw error{
                    errc::no_permission,
                    fmt::format(
                        "cannot open ring {}: no permission for {}; its owner may make it with "
                        "another --mode",
                        name_, path_)};
            default:
                throw error{errc::io, fmt::format("cannot open ring {} at {}", name_, path_),
                            errno};
        }
    }
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0) {
        throw error{errc::io, fmt::format("cannot look at {}", path_), errno};
    }
    inode_ = about.st_ino;
    if (!S_ISREG(about.st_mode)) {
        throw error{errc::not_a_ring,
                    fmt::format("cannot open ring {}: {} is {}; name a regular file", name_, path_,
                                S_ISDIR(about.st_mode) ? "a directory" : "no regular file")};
    }

    const auto magic = magic_of(descriptor_);
    if (magic == layout::magic_ready) {
        if (how == open_mode::create) {
            throw error{
                errc::ring_exists,
                fmt::format(
                    "cannot create ring {}: it exists; open it, or remove it with 'ringpipe rm {}'",
                    name_, name_)};
        }
        shape_ = load_shape(descriptor_, name_);
        refuse_other_options(shape_, options, name_);
        return attempt::ready;
    }
    if (about.st_size != 0 && magic != layout::magic_creating) {
        // Unless a creator that starts over was just emptying it: then it has the lock, or is done.
        if (!lock_for_creation(descriptor_)) { return attempt::again; }
        const auto now = magic_of(descriptor_);
        if (now == layout::magic_ready || now == layout::magic_creating) { return attempt::again; }
        throw error{errc::not_a_ring, fmt::format("cannot open ring {}: {} is a file of something "
                                                  "else; choose another name, or remove "
                                                  "that file",
                                                  name_, path_)};
    }
    return how == open_mode::open ? attempt::unfinished : try_make(options);
}

segment_file::attempt segment_file::try_make(const ring_options& options) {
    if (!lock_for_creation(descriptor_)) { return attempt::again; }
    // Another creator may have finished, or given up and removed the file, before we had the lock.
    if (!path_still_names_us() || magic_of(descriptor_) == layout::magic_ready) {
        return attempt::again;
    }
    try {
        make(options);
    } catch (...) {
        ::unlink(path_.c_str());
        throw;
    }
    shape_ = load_shape(descriptor_, name_);
    return attempt::ready;
}

// Crash window: a creator that dies before the last write leaves an empty file, or one with
// `magic_creating`; the next opener is here again and starts from nothing.
void segment_file::make(const ring_options& options) {
    const auto shape = shape_from(options);
    if (::ftruncate(descriptor_, 0) != 0) {
        throw error{errc::io, fmt::format("cannot empty {}", path_), errno};
    }
    write_magic(descriptor_, layout::magic_creating, path_);
    if (::fchmod(descriptor_, shape.mode) != 0) {
        throw error{errc::no_permission, fmt::format("cannot set the mode of {}", path_), errno};
    }
    // For real, and now: a tmpfs that is too small is an error here, not a SIGBUS later.
    if (const int failed = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(shape.file_size()));
        failed != 0) {
        throw error{failed == ENOSPC ? errc::no_space : errc::io,
                    fmt::format("cannot create ring {} with {} bytes at {}; choose a smaller "
                                "--capacity, or enlarge "
                                "the file system (Docker: --shm-size)",
                                name_, shape.file_size(), path_),
                    failed};
    }
    write_header(descriptor_, shape, path_);
    // Everything else starts as zero. One write of eight bytes publishes it.
    write_magic(descriptor_, layout::magic_ready, path_);
}

std::chrono::system_clock::time_point segment_file::last_used() const noexcept {
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0) { return std::chrono::system_clock::now(); }
    return std::chrono::system_clock::time_point{std::chrono::seconds{about.st_mtim.tv_sec} +
                                                 std::chrono::nanoseconds{about.st_mtim.tv_nsec}};
}

void segment_file::mark_used() const noexcept {
    // Not a matter of life and death: without permission it is only cleaned up earlier.
    (void)::futimens(descriptor_, nullptr);
}

bool remove_segment_file(std::string_view name) {
    const auto path = path_of_ring(name);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0 && errno == ENOENT) { return false; }
    if (descriptor >= 0) {
        struct stat about {};
        ::fstat(descriptor, &about);
        const auto magic = magic_of(descriptor);
        ::close(descriptor);
        const bool ours =
            S_ISREG(about.st_mode) &&
            (about.st_size == 0 || magic == layout::magic_ready || magic == layout::magic_creating);
        if (!ours) {
            throw error{
                errc::not_a_ring,
                fmt::format(
                    "cannot remove ring {}: {} is something else; remove it by hand if you mean it",
                    name, path)};
        }
    }
    if (::unlink(path.c_str()) == 0) { return true; }
    if (errno == ENOENT) { return false; }
    throw error{errno == EACCES || errno == EPERM ? errc::no_permission : errc::io,
                fmt::format("cannot remove ring {} at {}", name, path), errno};
}

}  // namespace ringpipe
