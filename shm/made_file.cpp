#include "shm/made_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "common/error.hpp"

namespace ringpipe {
namespace {

// Behind all members' bytes.
constexpr off_t creation_byte = off_t{1} << 40;

bool set_creation_lock(int descriptor, short type) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = creation_byte;
    range.l_len = 1;
    return ::fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}

bool lock_for_creation(int descriptor) { return set_creation_lock(descriptor, F_WRLCK); }

}  // namespace

made_file::made_file(std::string name, std::string path, open_mode how, file_kind& kind,
                     deadline until)
    : name_{std::move(name)}, path_{std::move(path)} {
    try {
        auto nap = std::chrono::microseconds{50};
        for (;;) {
            const auto result = try_open(how, kind);
            if (result == attempt::ready) { break; }
            if (clock::now() >= until) {
                const auto say = kind.words_for_errors();
                throw error{errc::unfinished,
                            fmt::format("cannot open {} {}: its creator has not finished it; wait "
                                        "for that, or remove it with {}",
                                        say.noun, name_, say.removal)};
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

made_file::~made_file() {
    if (descriptor_ >= 0) { ::close(descriptor_); }
}

bool made_file::path_still_names_us() const {
    struct stat named {};
    struct stat ours {};
    return ::stat(path_.c_str(), &named) == 0 && ::fstat(descriptor_, &ours) == 0 &&
           named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

void made_file::fail_to_open(const file_kind& kind, open_mode how, int number) const {
    const auto say = kind.words_for_errors();
    switch (number) {
        case ENOENT:
            if (how == open_mode::open) {
                throw error{errc::ring_not_found,
                            fmt::format("cannot open {} {}: there is none at {}; {}", say.noun,
                                        name_, path_, say.how_to_find)};
            }
            throw error{errc::io,
                        fmt::format("cannot create {} {}: the folder of {} does not exist; make it",
                                    say.noun, name_, path_)};
        case EISDIR:
            throw error{errc::not_a_ring,
                        fmt::format("cannot open {} {}: {} is a directory; name a file", say.noun,
                                    name_, path_)};
        case EACCES:
        case EPERM:
        case EROFS:
            throw error{errc::no_permission,
                        fmt::format("cannot open {} {}: no permission for {}; {}", say.noun, name_,
                                    path_, say.how_to_allow)};
        default:
            throw error{errc::io, fmt::format("cannot open {} {} at {}", say.noun, name_, path_),
                        number};
    }
}

made_file::attempt made_file::try_open(open_mode how, file_kind& kind) {
    if (descriptor_ >= 0) { ::close(std::exchange(descriptor_, -1)); }
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    descriptor_ = ::open(path_.c_str(), flags);
    // O_CREAT only where there is nothing: on another user's file in a sticky folder it is
    // forbidden.
    if (descriptor_ < 0 && errno == ENOENT && how != open_mode::open) {
        descriptor_ = ::open(path_.c_str(), flags | O_CREAT, 0600);
    }
    if (descriptor_ < 0) { fail_to_open(kind, how, errno); }
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0) {
        throw error{errc::io, fmt::format("cannot look at {}", path_), errno};
    }
    inode_ = about.st_ino;
    if (!S_ISREG(about.st_mode)) {
        throw error{errc::not_a_ring,
                    fmt::format("cannot open {} {}: {} is {}; name a regular file",
                                kind.words_for_errors().noun, name_, path_,
                                S_ISDIR(about.st_mode) ? "a directory" : "no regular file")};
    }

    const auto magic = magic_of(descriptor_);
    if (magic == kind.magic_ready()) {
        if (how == open_mode::create) {
            const auto say = kind.words_for_errors();
            throw error{errc::ring_exists,
                        fmt::format("cannot create {} {}: it exists; open it, or remove it with {}",
                                    say.noun, name_, say.removal)};
        }
        kind.load(descriptor_);
        kind.refuse_other_options();
        return attempt::ready;
    }
    if (about.st_size != 0 && magic != kind.magic_creating()) {
        // Unless a creator that starts over was just emptying it: then it has the lock, or is done.
        if (!lock_for_creation(descriptor_)) { return attempt::again; }
        const auto now = magic_of(descriptor_);
        if (now == kind.magic_ready() || now == kind.magic_creating()) { return attempt::again; }
        throw error{errc::not_a_ring, fmt::format("cannot open {} {}: {} is a file of something "
                                                  "else; choose another name, or remove "
                                                  "that file",
                                                  kind.words_for_errors().noun, name_, path_)};
    }
    return how == open_mode::open ? attempt::unfinished : try_make(kind);
}

made_file::attempt made_file::try_make(file_kind& kind) {
    if (!lock_for_creation(descriptor_)) { return attempt::again; }
    // Another creator may have finished, or given up and removed the file, before we had the lock.
    if (!path_still_names_us() || magic_of(descriptor_) == kind.magic_ready()) {
        return attempt::again;
    }
    try {
        make(kind);
    } catch (...) {
        ::unlink(path_.c_str());
        throw;
    }
    // The descriptor stays open for long: whoever takes this file for one of another kind would
    // wait for the lock before he says so.
    set_creation_lock(descriptor_, F_UNLCK);
    kind.load(descriptor_);
    return attempt::ready;
}

// Crash window: a creator that dies before the last write leaves an empty file, or one with
// magic_creating; the next opener is here again and starts from nothing.
void made_file::make(const file_kind& kind) {
    const auto wanted = kind.to_make();
    if (::ftruncate(descriptor_, 0) != 0) {
        throw error{errc::io, fmt::format("cannot empty {}", path_), errno};
    }
    const auto creating = kind.magic_creating();
    write_at_start(descriptor_, &creating, sizeof creating, path_);
    if (::fchmod(descriptor_, wanted.mode) != 0) {
        throw error{errc::no_permission, fmt::format("cannot set the mode of {}", path_), errno};
    }
    // For real, and now: a tmpfs that is too small is an error here, not a SIGBUS later.
    if (const int failed = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(wanted.size));
        failed != 0) {
        const auto say = kind.words_for_errors();
        throw error{failed == ENOSPC ? errc::no_space : errc::io,
                    fmt::format("cannot create {} {} with {} bytes at {}; {}, or enlarge the file "
                                "system (Docker: --shm-size)",
                                say.noun, name_, wanted.size, path_, say.how_to_fit),
                    failed};
    }
    kind.write_header(descriptor_, path_);
    // Everything else starts as zero. One write of eight bytes publishes it.
    const auto ready = kind.magic_ready();
    write_at_start(descriptor_, &ready, sizeof ready, path_);
}

std::chrono::system_clock::time_point made_file::last_used() const noexcept {
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0) { return std::chrono::system_clock::now(); }
    return std::chrono::system_clock::time_point{std::chrono::seconds{about.st_mtim.tv_sec} +
                                                 std::chrono::nanoseconds{about.st_mtim.tv_nsec}};
}

void made_file::mark_used() const noexcept {
    // Not a matter of life and death: without permission it is only cleaned up earlier.
    (void)::futimens(descriptor_, nullptr);
}

std::uint64_t magic_of(int descriptor) {
    std::uint64_t magic = 0;
    // A short file leaves the rest zero.
    [[maybe_unused]] const auto got = ::pread(descriptor, &magic, sizeof magic, 0);
    return magic;
}

void write_at_start(int descriptor, const void* bytes, std::size_t size, const std::string& path) {
    const auto written = ::pwrite(descriptor, bytes, size, 0);
    if (written != static_cast<ssize_t>(size)) {
        throw error{errc::no_space, fmt::format("cannot write to the new file {}", path), errno};
    }
}

bool remove_made_file(std::string_view name, const std::string& path, const file_kind& kind) {
    const auto noun = kind.words_for_errors().noun;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0 && errno == ENOENT) { return false; }
    if (descriptor >= 0) {
        struct stat about {};
        ::fstat(descriptor, &about);
        const auto magic = magic_of(descriptor);
        ::close(descriptor);
        const bool ours =
            S_ISREG(about.st_mode) &&
            (about.st_size == 0 || magic == kind.magic_ready() || magic == kind.magic_creating());
        if (!ours) {
            throw error{
                errc::not_a_ring,
                fmt::format(
                    "cannot remove {} {}: {} is something else; remove it by hand if you mean it",
                    noun, name, path)};
        }
    }
    if (::unlink(path.c_str()) == 0) { return true; }
    if (errno == ENOENT) { return false; }
    throw error{errno == EACCES || errno == EPERM ? errc::no_permission : errc::io,
                fmt::format("cannot remove {} {} at {}", noun, name, path), errno};
}

}  // namespace ringpipe
