// process_pool under random kills: every task is accounted for.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>
#include <random>
#include <set>

#include "common/temporary_folder.hpp"
#include "common/unique_fd.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/tasks.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// How often each task was begun: a file that all workers map.
class tally {
  public:
    tally(const std::string& path, std::size_t tasks) : size_{tasks} {
        const unique_fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
        // Not REQUIRE: in a worker no test is running.
        if (::ftruncate(file.get(), static_cast<off_t>(size_)) != 0) { std::abort(); }
        void* at = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
        if (at == MAP_FAILED) { std::abort(); }
        counts_ = static_cast<std::atomic<std::uint8_t>*>(at);
    }
    tally(const tally&) = delete;
    tally& operator=(const tally&) = delete;
    ~tally() { ::munmap(counts_, size_); }
    std::atomic<std::uint8_t>& operator[](std::size_t task) { return counts_[task]; }

  private:
    std::size_t size_;
    std::atomic<std::uint8_t>* counts_;
};

// Of some length, different for each: so that most kills hit a worker at a task.
std::uint64_t count_and_triple(const std::string& path, std::uint64_t tasks, std::uint64_t task) {
    static tally begun{path, tasks};
    begun[task].fetch_add(1);
    const auto until = clock::now() + task % 8 * 20us;
    while (clock::now() < until) {}
    return 3 * task;
}
RINGPIPE_TASK(count_and_triple);

bool is_long() { return std::getenv("RINGPIPE_LONG") != nullptr; }

// Printed, so that a storm can be had again.
std::uint64_t seed_of_storm() {
    const char* const asked = std::getenv("RINGPIPE_SEED");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10) : std::random_device{}();
}

}  // namespace

TEST_CASE("random kills of workers lose no task and run none twice unless it says so") {
    const std::uint64_t tasks = is_long() ? 100'000 : 2'000;
    const std::uint64_t kills = is_long() ? 1'000 : 40;
    const auto seed = seed_of_storm();
    CAPTURE(seed);
    const temporary_folder folder;
    const std::string path = folder.path() / "tally";
    std::uint64_t done = 0;
    std::uint64_t died = 0;
    std::uint64_t again = 0;
    std::uint64_t wrong = 0;
    std::uint64_t unmarked = 0;
    std::uint64_t missing = 0;
    std::uint64_t killed = 0;
    {
        tally begun{path, tasks};
        process_pool pool{{.min_workers = 3, .max_workers = 3, .liveness_interval = 20ms}};
        std::mt19937_64 random{seed};
        const auto kill_one = [&] {
            return eventually([&] {
                const auto workers = pool.status().workers;
                if (workers.empty()) { return false; }
                // A pid of the pool's own child: not given away before it is reaped.
                const auto pid = workers[random() % workers.size()].pid;
                const int how = random() % 4 == 0 ? SIGTERM : SIGKILL;
                return ::kill(static_cast<pid_t>(pid), how) == 0;
            });
        };
        // Kills spread over the tasks: one while a part of them is on its way.
        const auto part = tasks / kills;
        for (std::uint64_t first = 0; first < tasks; first += part) {
            auto kill = std::async(std::launch::async, kill_one);
            std::vector<pool::future<std::uint64_t>> results;
            const auto last = std::min(first + part, tasks);
            for (auto task = first; task < last; ++task) {
                results.push_back(pool.submit(pool::call(count_and_triple, path, tasks, task),
                                              {.max_attempts = task % 2 == 0 ? 1U : 3U}));
            }
            for (auto task = first; task < last; ++task) {
                auto& result = results[task - first];
                if (!result.wait_for(patience)) {
                    ++missing;
                    const auto now = pool.status();
                    MESSAGE("task " << task << " hangs: " << now.waiting << " wait, " << now.running
                                    << " run, " << now.workers.size() << " workers");
                    continue;
                }
                const auto attempts = result.attempts();
                const std::uint32_t times = begun[task];
                try {
                    if (result.get() != 3 * task) { ++wrong; }
                    if (times == 0) { ++wrong; }
                    ++done;
                } catch (const pool::worker_died& death) {
                    ++died;
                    if (death.signal() != SIGKILL && death.signal() != SIGTERM) { ++wrong; }
                }
                again += times > 1 ? 1 : 0;
                if (times > attempts) { ++unmarked; }
            }
            if (missing != 0) { break; }
            killed += kill.get() ? 1 : 0;
        }
        if (missing != 0) { pool.shutdown(pool::shutdown_mode::now); }
        MESSAGE("pool storm: seed " << seed << ", " << tasks << " tasks, " << killed
                                    << " kills: " << done << " done, " << died << " died, " << again
                                    << " run again, " << missing << " lost, " << wrong << " wrong");
        // Some kills hit one that is dead already, and not yet buried.
        CHECK(eventually([&] { return pool.status().worker_deaths > kills / 2; }));
        CHECK(killed == kills);
    }
    CHECK(missing == 0);
    CHECK(wrong == 0);
    CHECK(unmarked == 0);
    CHECK(done + died == tasks);
}
