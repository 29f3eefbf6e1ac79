#include "shm/segment_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "common/error.hpp"
#include "shm/layout.hpp"
#include "shm/name.hpp"

namespace ringpipe {
namespace {

// Behind all members' bytes.
constexpr off_t creation_byte = off_t{1} << 40;

std::uint64_t up_to(std::uint64_t value, std::uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

// The first bytes of a ring, as far as a decision about the file needs them.
struct first_bytes {
    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t abi = 0;
    std::uint64_t capacity = 0;
    std::uint64_t header_size = 0;
    std::uint32_t members = 0;
    std::uint32_t groups = 0;
    std::uint64_t creation_id[2] = {};
    std::uint64_t liveness_interval_ns = 0;
};
static_assert(offsetof(first_bytes, liveness_interval_ns) ==
                  offsetof(layout::control_header, liveness_interval_ns),
              "what is read from the file stands where the layout says");

first_bytes read_first_bytes(int descriptor) {
    first_bytes bytes;
    // A short file leaves the rest zero.
    [[maybe_unused]] const auto got = ::pread(descriptor, &bytes, sizeof bytes, 0);
    return bytes;
}

bool lock_for_creation(int descriptor) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = creation_byte;
    range.l_len = 1;
    return ::fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}

void write_at_start(int descriptor, const void* bytes, std::size_t size, const std::string& path) {
    const auto written = ::pwrite(descriptor, bytes, size, 0);
    if (written != static_cast<ssize_t>(size)) {
        throw error{errc::no_space, fmt::format("cannot write to the new ring's file {}", path),
                    errno};
    }
}

}  // namespace

segment_shape shape_from(const ring_options& options) {
    segment_shape shape;
    const auto wanted = options.capacity.value_or(default_capacity);
    if (wanted > layout::max_capacity) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have {} bytes; ask for at most {}", wanted,
                                layout::max_capacity)};
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    shape.capacity = std::bit_ceil(std::max({wanted, layout::min_capacity, page}));
    shape.members = options.members.value_or(128);
    if (shape.members == 0 || shape.members > layout::max_members) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have {} member slots; ask for 1 to {}",
                                shape.members, layout::max_members)};
    }
    shape.groups = options.groups.value_or(16);
    if (shape.groups == 0 || shape.groups > layout::max_groups) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have {} group slots; ask for 1 to {}", shape.groups,
                                layout::max_groups)};
    }
    shape.mode = options.mode.value_or(0600);
    if ((shape.mode & ~0777U) != 0 || (shape.mode & 0600U) != 0600U) {
        throw error{errc::invalid_argument,
                    fmt::format("a ring cannot have mode {:o}; its owner must read and write it, "
                                "as with 600 or 660",
                                shape.mode)};
    }
    const auto interval = options.liveness_interval.value_or(std::chrono::milliseconds{100});
    if (interval <= interval.zero() || interval > std::chrono::hours{1}) {
        throw error{errc::invalid_argument,
                    "a ring's liveness interval must be between 1 ms and 1 h"};
    }
    shape.liveness_interval_ns =
        static_cast<std::uint64_t>(std::chrono::nanoseconds{interval}.count());
    shape.header_size = up_to(layout::control_size(shape.members, shape.groups), page);
    return shape;
}

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

    const auto bytes = read_first_bytes(descriptor_);
    if (bytes.magic == layout::magic_ready) {
        if (how == open_mode::create) {
            throw error{
                errc::ring_exists,
                fmt::format(
                    "cannot create ring {}: it exists; open it, or remove it with 'ringpipe rm {}'",
                    name_, name_)};
        }
        load_shape();
        compare(options);
        return attempt::ready;
    }
    if (about.st_size != 0 && bytes.magic != layout::magic_creating) {
        // Unless a creator that starts over was just emptying it: then it has the lock, or is done.
        if (!lock_for_creation(descriptor_)) { return attempt::again; }
        const auto now = read_first_bytes(descriptor_).magic;
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
    if (!path_still_names_us() || read_first_bytes(descriptor_).magic == layout::magic_ready) {
        return attempt::again;
    }
    try {
        make(options);
    } catch (...) {
        ::unlink(path_.c_str());
        throw;
    }
    load_shape();
    return attempt::ready;
}

// Crash window: a creator that dies before the last write leaves an empty file, or one with
// `magic_creating`; the next opener is here again and starts from nothing.
void segment_file::make(const ring_options& options) {
    const auto shape = shape_from(options);
    if (::ftruncate(descriptor_, 0) != 0) {
        throw error{errc::io, fmt::format("cannot empty {}", path_), errno};
    }
    write_at_start(descriptor_, &layout::magic_creating, sizeof layout::magic_creating, path_);
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
    first_bytes bytes;
    bytes.magic = layout::magic_creating;
    bytes.version = layout::version;
    bytes.abi = layout::abi_stamp();
    bytes.capacity = shape.capacity;
    bytes.header_size = shape.header_size;
    bytes.members = shape.members;
    bytes.groups = shape.groups;
    bytes.liveness_interval_ns = shape.liveness_interval_ns;
    if (::getrandom(bytes.creation_id, sizeof bytes.creation_id, 0) != sizeof bytes.creation_id) {
        throw error{errc::io, "cannot get random bytes for the new ring's id", errno};
    }
    write_at_start(descriptor_, &bytes, sizeof bytes, path_);
    // Everything else starts as zero. One write of eight bytes publishes it.
    write_at_start(descriptor_, &layout::magic_ready, sizeof layout::magic_ready, path_);
}

// Everything that is used later is copied out once, and validated here.
void segment_file::load_shape() {
    const auto bytes = read_first_bytes(descriptor_);
    if (bytes.version != layout::version || bytes.abi != layout::abi_stamp()) {
        throw error{errc::wrong_version,
                    fmt::format("cannot open ring {}: it was made by another version of ringpipe "
                                "(layout {}, this one "
                                "is {}); use that version, or remove it with 'ringpipe rm {}'",
                                name_, bytes.version, layout::version, name_)};
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const bool sound =
        std::has_single_bit(bytes.capacity) && bytes.capacity >= page &&
        bytes.capacity <= layout::max_capacity && bytes.members >= 1 &&
        bytes.members <= layout::max_members && bytes.groups >= 1 &&
        bytes.groups <= layout::max_groups &&
        bytes.header_size == up_to(layout::control_size(bytes.members, bytes.groups), page) &&
        bytes.liveness_interval_ns >= 1 && bytes.liveness_interval_ns <= 3600'000'000'000U;
    if (!sound) {
        throw error{
            errc::corrupt,
            fmt::format("cannot open ring {}: its header contradicts itself; remove it with "
                        "'ringpipe rm {}'",
                        name_, name_)};
    }
    struct stat about {};
    ::fstat(descriptor_, &about);
    shape_ = {bytes.capacity,
              bytes.members,
              bytes.groups,
              about.st_mode & 0777U,
              bytes.liveness_interval_ns,
              bytes.header_size};
    if (static_cast<std::uint64_t>(about.st_size) < shape_.file_size()) {
        throw error{
            errc::truncated_segment,
            fmt::format(
                "cannot open ring {}: its file has {} bytes and should have {}; it was truncated, "
                "remove it with 'ringpipe rm {}'",
                name_, about.st_size, shape_.file_size(), name_)};
    }
}

void segment_file::compare(const ring_options& options) const {
    const auto wanted = shape_from(options);
    const auto refuse = [this](std::string_view what, auto has, auto asked) {
        throw error{errc::options_differ, fmt::format("cannot use ring {}: it exists with {} {}, "
                                                      "not {}; leave that option out, or remove "
                                                      "the ring with 'ringpipe rm {}'",
                                                      name_, what, has, asked, name_)};
    };
    if (options.capacity && wanted.capacity != shape_.capacity) {
        refuse("capacity", shape_.capacity, wanted.capacity);
    }
    if (options.members && wanted.members != shape_.members) {
        refuse("members", shape_.members, wanted.members);
    }
    if (options.groups && wanted.groups != shape_.groups) {
        refuse("groups", shape_.groups, wanted.groups);
    }
    if (options.mode && wanted.mode != shape_.mode) {
        refuse("mode", fmt::format("{:o}", shape_.mode), fmt::format("{:o}", wanted.mode));
    }
    if (options.liveness_interval && wanted.liveness_interval_ns != shape_.liveness_interval_ns) {
        refuse("a liveness interval of (ns)", shape_.liveness_interval_ns,
               wanted.liveness_interval_ns);
    }
}

bool remove_segment_file(std::string_view name) {
    const auto path = path_of_ring(name);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0 && errno == ENOENT) { return false; }
    if (descriptor >= 0) {
        struct stat about {};
        ::fstat(descriptor, &about);
        const auto magic = read_first_bytes(descriptor).magic;
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
