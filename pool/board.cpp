#include "pool/board.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/error.hpp"
#include "common/quote.hpp"
#include "shm/made_file.hpp"

namespace ringpipe::pool {
namespace {

namespace ipc = boost::interprocess;

constexpr std::uint64_t magic_ready = 0x314c4f4f504e4752;  // "RGNPOOL1"
constexpr std::uint32_t version = 2;

constexpr std::size_t claims_at(std::uint32_t workers) {
    return sizeof(board_header) + workers * sizeof(board_worker);
}
constexpr std::size_t initializer_at(std::uint32_t workers) {
    return claims_at(workers) + max_handed * sizeof(std::uint64_t);
}

struct mappable {
    int fd;
    [[nodiscard]] ipc::mapping_handle_t get_mapping_handle() const {
        return ipc::ipcdetail::mapping_handle_from_file_handle(fd);
    }
};

[[noreturn]] void fail(const char* what, const std::string& path, int number) {
    const auto code = number == ENOENT                      ? errc::ring_not_found
                      : number == EEXIST                    ? errc::ring_exists
                      : number == EACCES || number == EPERM ? errc::no_permission
                      : number == ENOSPC                    ? errc::no_space
                                                            : errc::io;
    throw error{code, fmt::format("cannot {} the board of a pool, {}", what, in_quotes(path)),
                number};
}

unique_fd make_and_lock(const std::string& path) {
    for (int tries = 0;; ++tries) {
        unique_fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
        if (!file) { fail("make", path, errno); }
        struct stat now {};
        if (::flock(file.get(), LOCK_EX) != 0 || ::fstat(file.get(), &now) != 0) {
            fail("lock", path, errno);
        }
        // Somebody who clears up may have come before the lock, and taken it for abandoned: then
        // the file is no longer there.
        if (now.st_nlink != 0) { return file; }
        if (tries == 100) { fail("lock", path, EEXIST); }
    }
}

}  // namespace

std::string board::path_of(std::string_view pool) {
    return fmt::format("{}/{}{}", folder, prefix, pool);
}

board::board(unique_fd file, bool writable)
    : file_{std::move(file)},
      memory_{mappable{file_.get()}, writable ? ipc::read_write : ipc::read_only} {}

board board::create(std::string_view pool, const settings& what) {
    const auto path = path_of(pool);
    unique_fd file = make_and_lock(path);
    const auto size = initializer_at(what.workers) + what.initializer.size();
    if (const int failed = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size));
        failed != 0) {
        ::unlink(path.c_str());
        fail("make", path, failed);
    }
    board made{std::move(file), true};
    auto& header = made.header();
    header.version = version;
    header.workers = what.workers;
    header.max_tasks_per_worker = what.max_tasks_per_worker;
    header.initializer_size = what.initializer.size();
    header.owner_pid = static_cast<std::uint32_t>(::getpid());
    if (!what.initializer.empty()) {
        std::memcpy(made.at<std::byte>(initializer_at(what.workers)), what.initializer.data(),
                    what.initializer.size());
    }
    header.magic.store(magic_ready, std::memory_order_release);
    return made;
}

board board::open(std::string_view pool) { return open(pool, true); }
board board::open_to_look(std::string_view pool) { return open(pool, false); }

board board::open(std::string_view pool, bool writable) {
    const auto path = path_of(pool);
    unique_fd file{::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC)};
    if (!file) { fail("open", path, errno); }
    struct stat now {};
    if (::fstat(file.get(), &now) != 0) { fail("open", path, errno); }
    const auto size = static_cast<std::size_t>(now.st_size);
    const auto refuse = [&] {
        throw error{errc::wrong_version,
                    fmt::format("cannot use {}: it is not the board of a pool of this version; "
                                "build the pool's owner and its workers from one source",
                                in_quotes(path))};
    };
    if (size != 0 && size < initializer_at(0)) { refuse(); }
    const auto magic = magic_of(file.get());
    if (magic == 0) {
        throw error{errc::unfinished,
                    fmt::format("cannot use {}: the pool's owner has not finished it; try again",
                                in_quotes(path))};
    }
    board opened{std::move(file), writable};
    const auto& header = opened.header();
    if (header.magic.load(std::memory_order_acquire) != magic_ready || header.version != version ||
        header.workers > max_pool_workers || size < initializer_at(header.workers) ||
        header.initializer_size != size - initializer_at(header.workers)) {
        refuse();
    }
    return opened;
}

bool board::may_be_one(int descriptor) {
    const auto magic = magic_of(descriptor);
    return magic == 0 || magic == magic_ready;
}

std::span<board_worker> board::workers() const {
    return {at<board_worker>(sizeof(board_header)), header().workers};
}

std::atomic<std::uint64_t>& board::claim_of(std::uint32_t slot) const {
    return at<std::atomic<std::uint64_t>>(claims_offset())[slot % max_handed];
}

std::span<const std::byte> board::initializer() const {
    return {at<std::byte>(initializer_at(header().workers)), header().initializer_size};
}

// By a shared lock, held for a moment: see remove_abandoned().
bool board::is_owned() const {
    if (::flock(file_.get(), LOCK_SH | LOCK_NB) != 0) { return true; }
    ::flock(file_.get(), LOCK_UN);
    return false;
}

std::size_t board::claims_offset() const { return claims_at(header().workers); }

}  // namespace ringpipe::pool
