#include "shm/presence.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "common/error.hpp"

namespace ringpipe {

// All presences of this process, so that a forked child can close its copies: else the parent's
// byte would stay locked, and the parent "alive", as long as the child lives.
struct presence_registry {
    std::mutex guard;
    presence* first = nullptr;

    static presence_registry& instance() {
        static presence_registry registry;
        static const bool watched = [] {
            where = &registry;
            pthread_atfork([] { instance_unwatched().guard.lock(); },
                           [] { instance_unwatched().guard.unlock(); },
                           [] {
                               instance_unwatched().forget_all();
                               instance_unwatched().guard.unlock();
                           });
            return true;
        }();
        (void)watched;
        return registry;
    }

    void add(presence& p) {
        const std::lock_guard hold{guard};
        p.next_ = first;
        if (first != nullptr) { first->previous_ = &p; }
        first = &p;
    }

    void remove(presence& p) {
        const std::lock_guard hold{guard};
        if (p.next_ != nullptr) { p.next_->previous_ = p.previous_; }
        if (p.previous_ != nullptr) { p.previous_->next_ = p.next_; }
        if (first == &p) { first = p.next_; }
    }

    // In the child. Closing does not unlock: the parent's descriptor keeps the description.
    void forget_all() {
        for (auto* p = first; p != nullptr; p = p->next_) {
            ::close(p->descriptor_);
            p->descriptor_ = -1;
            p->forked_ = true;
        }
    }

  private:
    static inline presence_registry* where = nullptr;
    static presence_registry& instance_unwatched() { return *where; }
};

namespace {

struct flock byte_of(std::uint32_t slot, short type) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = slot;
    range.l_len = 1;
    return range;
}

}  // namespace

presence::presence(const std::string& path, int same_as) {
    // O_RDWR: a write lock needs it.
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor_ < 0) {
        const auto code = errno == ENOENT   ? errc::ring_not_found
                          : errno == EACCES ? errc::no_permission
                                            : errc::io;
        throw error{code, fmt::format("cannot attach to {}", path), errno};
    }
    struct stat mine {};
    struct stat theirs {};
    if (::fstat(descriptor_, &mine) != 0 || ::fstat(same_as, &theirs) != 0 ||
        mine.st_ino != theirs.st_ino || mine.st_dev != theirs.st_dev) {
        ::close(descriptor_);
        throw error{
            errc::ring_not_found,
            fmt::format(
                "cannot attach to {}: the ring was removed, and perhaps made anew, since it was "
                "opened; open it again",
                path)};
    }
    presence_registry::instance().add(*this);
}

presence::~presence() {
    presence_registry::instance().remove(*this);
    if (descriptor_ >= 0) { ::close(descriptor_); }
}

bool presence::try_hold(std::uint32_t slot) {
    auto range = byte_of(slot, F_WRLCK);
    if (::fcntl(descriptor_, F_OFD_SETLK, &range) == 0) { return true; }
    if (errno == EAGAIN || errno == EACCES) { return false; }
    throw error{errc::io,
                "cannot lock a byte of the ring's file (does its file system know F_OFD_SETLK?)",
                errno};
}

void presence::let_go(std::uint32_t slot) noexcept {
    auto range = byte_of(slot, F_UNLCK);
    ::fcntl(descriptor_, F_OFD_SETLK, &range);
}

bool is_held(int descriptor, std::uint64_t inode, std::uint32_t slot) {
    auto range = byte_of(slot, F_RDLCK);
    if (::fcntl(descriptor, F_OFD_GETLK, &range) == 0) {
        if (range.l_type != F_UNLCK) { return true; }
        struct stat about {};
        if (::fstat(descriptor, &about) == 0 && about.st_ino == inode) { return false; }
    }
    throw error{errc::presence_lost,
                "cannot ask who is alive: the ring's file descriptor was closed under us "
                "(close_range?); open the "
                "ring again"};
}

bool anybody_is_in(int descriptor, std::uint32_t slots) {
    auto range = byte_of(0, F_RDLCK);
    range.l_len = slots;
    if (::fcntl(descriptor, F_OFD_GETLK, &range) == 0) { return range.l_type != F_UNLCK; }
    throw error{
        errc::io,
        "cannot ask who is alive: the kernel does not answer for the locks of its file; see "
        "ringpipe doctor",
        errno};
}

}  // namespace ringpipe
