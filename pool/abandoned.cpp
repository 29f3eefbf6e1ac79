#include "pool/abandoned.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "common/error.hpp"
#include "common/unique_fd.hpp"
#include "pool/board.hpp"
#include "pool/rings.hpp"
#include "pool/status.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pool {
namespace {

// The board is locked by its owner as long as that lives; by us, while we clear up; and by who looks
// at it, for a moment, but shared: he is waited for.
bool take(const unique_fd& board) {
    for (int tries = 0; tries < 100; ++tries) {
        if (::flock(board.get(), LOCK_EX | LOCK_NB) == 0) { return true; }
        if (::flock(board.get(), LOCK_SH | LOCK_NB) != 0) { return false; }
        ::flock(board.get(), LOCK_UN);
        const timespec nap{0, 100'000};
        ::nanosleep(&nap, nullptr);
    }
    return false;
}

bool is_still_there(const unique_fd& file) {
    struct stat now {};
    return ::fstat(file.get(), &now) == 0 && now.st_nlink != 0;
}

}  // namespace

bool remove_abandoned(const std::string& pool) {
    const auto path = board::path_of(pool);
    const unique_fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file && errno == ENOENT) { return false; }
    if (!file) {
        const int why = errno;
        throw error{
            why == EACCES || why == EPERM ? errc::no_permission : errc::io,
            fmt::format("cannot open pool {} at {} to remove it; only who made it, or root, "
                        "may",
                        pool, path),
            why};
    }
    if (!take(file)) {
        throw error{errc::group_in_use,
                    fmt::format("cannot remove pool {}: its owner is alive, and removes it when it "
                                "is done, or somebody removes it just now; see ringpipe stat "
                                "--pool {}",
                                pool, pool)};
    }
    // Removed meanwhile: what has its name by now is another pool's.
    if (!is_still_there(file)) { return false; }
    if (!board::may_be_one(file.get())) {
        throw error{errc::not_a_ring,
                    fmt::format("cannot remove pool {}: {} is something else; remove it by hand if "
                                "you mean it",
                                pool, path)};
    }
    ring::remove(requests_of(pool));
    ring::remove(replies_of(pool));
    // The board last: it marks the rings as garbage.
    return ::unlink(path.c_str()) == 0;
}

std::vector<std::string> remove_abandoned() {
    std::vector<std::string> removed;
    for (const auto& pool : list_pools()) {
        try {
            if (remove_abandoned(pool)) { removed.push_back(pool); }
        } catch (const error&) {}  // it lives, or is not ours
    }
    return removed;
}

}  // namespace ringpipe::pool
