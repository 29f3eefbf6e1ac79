// ringpipe_bench_sync: sync's primitives beside Boost.Interprocess's own and Python's
// multiprocessing, in one run.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/interprocess/anonymous_shared_memory.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/interprocess_semaphore.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <boost/interprocess/sync/named_semaphore.hpp>
#include <chrono>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "bench/python.hpp"
#include "bench/statistics.hpp"
#include "sync/cell.hpp"
#include "sync/counting_semaphore.hpp"
#include "sync/event.hpp"
#include "sync/mutex.hpp"
#include "sync/semaphore.hpp"
#include "sync/shared_mutex.hpp"

namespace {

namespace ipc = boost::interprocess;
namespace sync = ringpipe::sync;
using ringpipe::bench::measured_by_python;
using ringpipe::bench::spread_of;

// One line of the table: what is done, and how often.
struct cell {
    std::string what;
    std::string whose;
    std::function<void(int)> repeat;  // none: Python measures it, under the name `python`
    std::string python = {};
    std::vector<double> nanoseconds = {};  // a measurement for each round
};

template <class T>
T* in_shared_memory(ipc::mapped_region& region) {
    region = ipc::anonymous_shared_memory(sizeof(T));
    return new (region.get_address()) T;
}

// Removed with their maker.
struct names {
    std::string name = fmt::format("ringpipe-bench-{}", ::getpid());
    ~names() {
        sync::space::remove(name);
        ipc::named_mutex::remove(name.c_str());
        ipc::named_semaphore::remove((name + "-s").c_str());
    }
};

using value = std::array<std::uint64_t, 8>;  // 64 bytes
std::uint64_t sink = 0;                      // so that what is read is needed

}  // namespace

int main(int argc, char** argv) {
    int times = 2'000'000;
    int rounds = 9;
    CLI::App app{
        "ringpipe's synchronisation beside Boost.Interprocess's and Python's, uncontended, in one "
        "run."};
    app.add_option("--times", times, "operations in a measurement")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--rounds", rounds, "how often all is measured")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        const names used;
        const auto space = sync::space::create(used.name);
        sync::mutex mutex{space, "mutex"};
        sync::semaphore semaphore{space, "semaphore", 1};
        sync::counting_semaphore counting{space, "counting", 1};
        sync::shared_mutex shared{space, "shared"};
        sync::cell_writer<value> writer{space, "cell"};
        const sync::cell<value> reader{space, "cell"};
        writer.write({1, 2, 3, 4, 5, 6, 7, 8});

        std::array<ipc::mapped_region, 3> memory;
        auto* const boost_mutex = in_shared_memory<ipc::interprocess_mutex>(memory[0]);
        memory[1] = ipc::anonymous_shared_memory(sizeof(ipc::interprocess_semaphore));
        auto* const boost_semaphore = new (memory[1].get_address()) ipc::interprocess_semaphore{1};
        auto* const boost_shared = in_shared_memory<ipc::interprocess_sharable_mutex>(memory[2]);
        ipc::named_mutex named_mutex{ipc::create_only, used.name.c_str()};
        ipc::named_semaphore named_semaphore{ipc::create_only, (used.name + "-s").c_str(), 1};

        const auto each = [](auto operation) {
            return [operation](int count) {
                for (int i = 0; i < count; ++i) { operation(); }
            };
        };
        const auto lock_and_unlock = [&](auto& m) {
            return each([&m] {
                m.lock();
                m.unlock();
            });
        };
        const auto wait_and_post = [&](auto& s) {
            return each([&s] {
                s.wait();
                s.post();
            });
        };
        const auto acquire_and_release = [&](auto& s) {
            return each([&s] {
                s.acquire();
                s.release();
            });
        };
        // The peer of each "what" is the first of its lines.
        std::vector<cell> cells{
            {"mutex", "Boost interprocess_mutex", lock_and_unlock(*boost_mutex)},
            {"mutex", "Boost named_mutex", lock_and_unlock(named_mutex)},
            {"mutex", "multiprocessing.Lock", {}, "Lock"},
            {"mutex", "sync::mutex", lock_and_unlock(mutex)},
            {"semaphore", "Boost interprocess_semaphore", wait_and_post(*boost_semaphore)},
            {"semaphore", "Boost named_semaphore", wait_and_post(named_semaphore)},
            {"semaphore", "multiprocessing.Semaphore", {}, "Semaphore"},
            {"semaphore", "sync::semaphore", acquire_and_release(semaphore)},
            {"semaphore", "sync::counting_semaphore", acquire_and_release(counting)},
            {"write lock", "Boost interprocess_sharable_mutex", lock_and_unlock(*boost_shared)},
            {"write lock", "sync::shared_mutex", lock_and_unlock(shared)},
            {"read lock", "Boost interprocess_sharable_mutex", each([&] {
                 boost_shared->lock_sharable();
                 boost_shared->unlock_sharable();
             })},
            {"read lock", "sync::shared_mutex", each([&] {
                 shared.lock_shared();
                 shared.unlock_shared();
             })},
            {"64 B read", "multiprocessing.Array", {}, "Array-read"},
            {"64 B read", "sync::cell", each([&] {
                 value seen;
                 (void)reader.read_into(seen);
                 sink += seen[0] + seen[7];
             })},
            {"64 B write", "multiprocessing.Array", {}, "Array-write"},
            {"64 B write", "sync::cell_writer", each([&] { writer.write({sink}); })},
        };
        for (int round = 0; round < rounds; ++round) {
            const auto python = measured_by_python(RINGPIPE_PYTHON_SYNC,
                                                   fmt::format("{}", std::max(times / 10, 100)), 4);
            for (auto& c : cells) {
                if (!c.repeat) {
                    c.nanoseconds.push_back(python.at(c.python));
                    continue;
                }
                const auto start = std::chrono::steady_clock::now();
                c.repeat(times);
                const std::chrono::duration<double, std::nano> took =
                    std::chrono::steady_clock::now() - start;
                c.nanoseconds.push_back(took.count() / times);
            }
        }
        fmt::print("{:<11} {:<34} {:>9} {:>17} {:>7}  {}\n", "both ways", "whose", "median",
                   "least to most", "ratio", "goal");
        std::string what;
        double peer = 0;
        for (const auto& c : cells) {
            const auto [count, median, least, most] = spread_of(c.nanoseconds);
            if (c.what != what) { peer = median; }
            what = c.what;
            const char* goal = "";
            if (c.whose == "sync::mutex" || c.whose.ends_with("semaphore")) { goal = "1.5"; }
            if (!c.whose.starts_with("sync::")) { goal = ""; }
            if (c.whose == "sync::cell") { goal = "20 ns"; }
            fmt::print("{:<11} {:<34} {:>6.1f} ns {:>6.1f} to {:>5.1f} {:>7.2f}  {}\n", c.what,
                       c.whose, median, least, most, median / peer, goal);
        }
    } catch (const std::exception& failed) {
        fmt::print(stderr, "ringpipe_bench_sync: {}\n", failed.what());
        return 1;
    }
    return sink == 1 ? 2 : 0;
}
