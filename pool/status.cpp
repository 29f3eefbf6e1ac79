#include "pool/status.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "common/deadline.hpp"
#include "pool/board.hpp"

namespace ringpipe::pool {

std::vector<worker_status> workers_on(const board& shared) {
    std::vector<worker_status> all;
    for (const auto& entry : shared.workers()) {
        if (entry.pid == 0) { continue; }
        worker_status one{entry.pid, entry.dispatch != 0, {}, entry.done, entry.failed};
        if (one.at_work) {
            one.at_it_for =
                clock::now().time_since_epoch() - std::chrono::nanoseconds{entry.begun_at};
        }
        all.push_back(one);
    }
    return all;
}

std::vector<std::string> list_pools() {
    std::vector<std::string> names;
    std::error_code ignored;  // an entry may go while we look
    for (const auto& entry : std::filesystem::directory_iterator{board::folder, ignored}) {
        const auto file = entry.path().filename().string();
        if (file.starts_with(board::prefix)) { names.push_back(file.substr(board::prefix.size())); }
    }
    std::sort(names.begin(), names.end());
    return names;
}

pool_outline outline_of(std::string_view pool) {
    const auto shared = board::open_to_look(pool);
    const auto& header = shared.header();
    pool_outline seen;
    seen.name = pool;
    seen.path = board::path_of(pool);
    seen.alive = shared.is_owned();
    seen.owner_pid = header.owner_pid;
    seen.max_workers = header.workers;
    if (header.broken.load(std::memory_order_acquire) == 2) {
        seen.broken = {header.broken_why, ::strnlen(header.broken_why, sizeof header.broken_why)};
    }
    auto& status = seen.status;
    status.done = header.done;
    status.failed = header.failed;
    status.cancelled = header.cancelled;
    status.worker_deaths = header.worker_deaths;
    // Workers die with their owner, and their entries stay as they were.
    if (!seen.alive) { return seen; }
    status.workers = workers_on(shared);
    status.running = static_cast<std::uint64_t>(
        std::count_if(status.workers.begin(), status.workers.end(),
                      [](const worker_status& one) { return one.at_work; }));
    const std::uint64_t pending = header.waiting + header.handed;
    status.waiting = pending - std::min(pending, status.running);
    return seen;
}

}  // namespace ringpipe::pool
