#include "pool/pool_core.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "common/error.hpp"
#include "pool/abandoned.hpp"
#include "pool/rings.hpp"
#include "pool/worker.hpp"

namespace ringpipe::pool {
namespace {

std::string checked_name(const std::string& wanted) {
    // Otherwise a worker's program would start workers, and these would, without end.
    if (std::getenv(worker_variable) != nullptr) {
        throw error{errc::invalid_argument,
                    "cannot make a pool in what was started as a pool's worker; call "
                    "ringpipe::pool::run_worker_if_asked() at the start of main()"};
    }
    static std::atomic<unsigned> made{0};
    return wanted.empty() ? fmt::format("pool-{}-{}", ::getpid(), ++made) : wanted;
}

std::uint32_t checked_workers(const pool_options& options) {
    const auto cores = std::max(std::thread::hardware_concurrency(), 1U);
    const auto most = options.max_workers != 0
                          ? options.max_workers
                          : std::clamp(cores, options.min_workers, max_pool_workers);
    if (most > max_pool_workers || options.min_workers > most) {
        throw error{errc::invalid_argument,
                    fmt::format("a pool cannot have from {} to {} workers; take at most {}, and "
                                "min_workers at most max_workers",
                                options.min_workers, most, max_pool_workers)};
    }
    return most;
}

ring make_ring(const std::string& name, std::uint64_t bytes, std::uint32_t workers,
               const pool_options& options) {
    ring_options how;
    how.capacity = bytes;
    how.members = 2 * workers + 8;  // the dead keep their slots for a while
    how.groups = 1;
    how.liveness_interval = options.liveness_interval;
    return ring::create(name, how);
}

void remove_rings(const std::string& pool) {
    ring::remove(requests_of(pool));
    ring::remove(replies_of(pool));
    ::unlink(board::path_of(pool).c_str());  // last: it marks them as garbage
}

}  // namespace

pool_core::pool_core(const pool_options& options) : name_{checked_name(options.name)} {
    const auto most = checked_workers(options);
    (void)remove_abandoned();
    std::span<const std::byte> initializer;
    std::vector<std::byte> bytes;
    if (options.initializer) {
        bytes.resize(options.initializer->request.size());
        options.initializer->request.copy_to(bytes.data());
        initializer = bytes;
    }
    board_ = std::make_shared<board>(
        board::create(name_, {most, options.max_tasks_per_worker, initializer}));
    try {
        const auto requests = make_ring(requests_of(name_), options.request_bytes, most, options);
        const auto replies = make_ring(replies_of(name_), options.reply_bytes, most, options);
        tasks_ = std::make_shared<dispatcher>(options, most, board_, requests, replies);
        workers_ = std::make_unique<supervisor>(options, name_, most, *board_, *tasks_);
        tasks_->use(workers_.get());
    } catch (...) {
        if (tasks_) { tasks_->stop_reading(); }
        remove_rings(name_);
        throw;
    }
}

pool_core::~pool_core() { end({}); }

void pool_core::end(std::chrono::milliseconds grace) {
    if (!workers_) { return; }
    tasks_->end_requests();
    workers_->stop(grace);
    tasks_->use(nullptr);
    workers_.reset();
    tasks_->stop_reading();
    try {
        remove_rings(name_);
    } catch (const error&) {}  // somebody else has, or may not any more
}

}  // namespace ringpipe::pool
