// ringpipe_bench_pool: process_pool beside Python's ProcessPoolExecutor, in one run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/pool_tasks.hpp"
#include "bench/python.hpp"
#include "bench/statistics.hpp"
#include "pool/process_pool.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::bench;

RINGPIPE_TASK(nothing);
RINGPIPE_TASK(add_one);
RINGPIPE_TASK(ends_of);

struct plan {
    std::uint32_t workers = 1;
    int calls = 2000;
    std::uint64_t tasks = 100'000;
    int large = 200;
    int rounds = 3;
    std::string script = RINGPIPE_PYTHON_POOL;
};

using seconds_per_task = std::map<std::string, double>;

template <class Work>
double time_each(double count, Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return took.count() / count;
}

void require(bool right) {
    if (!right) { throw std::runtime_error{"a task's result is wrong"}; }
}

seconds_per_task measure_ours(const plan& how) {
    process_pool pool{{.max_workers = how.workers}};
    for (int i = 0; i < 50; ++i) { pool.submit(nothing).get(); }
    seconds_per_task found;
    found["call"] = time_each(how.calls, [&] {
        for (int i = 0; i < how.calls; ++i) { pool.submit(nothing).get(); }
    });
    found["stream"] = time_each(static_cast<double>(how.tasks), [&] {
        std::vector<pool::future<std::uint64_t>> results;
        results.reserve(how.tasks);
        for (std::uint64_t i = 0; i < how.tasks; ++i) {
            results.push_back(pool.submit(add_one, i));
        }
        for (std::uint64_t i = 0; i < how.tasks; ++i) { require(results[i].get() == i + 1); }
    });
    const std::vector<std::byte> data(std::size_t{1} << 20U);
    found["1MiB"] = time_each(how.large, [&] {
        for (int i = 0; i < how.large; ++i) {
            require(pool.submit(ends_of, std::span<const std::byte>{data}).get() == data.size());
        }
    });
    return found;
}

seconds_per_task measure_python(const plan& how) {
    return measured_by_python(how.script,
                              fmt::format("{} {} {} {}", how.workers, std::max(how.calls / 4, 1),
                                          how.tasks, std::max(how.large / 2, 1)),
                              3);
}

// One line of the table: a measurement for each round, in turn with the other's.
struct line {
    std::string name;
    std::string what;
    int goal;
    std::vector<double> theirs = {};
    std::vector<double> ours = {};
    std::vector<double> ratios = {};
};

void print(const std::vector<line>& lines) {
    fmt::print("{:<40} {:>12} {:>12} {:>8} {:>16} {:>6}\n", "medians", "python", "ringpipe",
               "ratio", "least to most", "goal");
    for (const auto& each : lines) {
        const auto ratio = spread_of(each.ratios);
        fmt::print("{:<40} {:>9.2f} us {:>9.2f} us {:>7.1f}x {:>6.1f} to {:>5.1f}x {:>5}x\n",
                   each.what, spread_of(each.theirs).median * 1e6,
                   spread_of(each.ours).median * 1e6, ratio.median, ratio.least, ratio.most,
                   each.goal);
    }
}

}  // namespace

int main(int argc, char** argv) {
    ringpipe::pool::run_worker_if_asked();
    plan how;
    CLI::App app{"ringpipe's process_pool beside Python's ProcessPoolExecutor, in one run."};
    app.add_option("--workers", how.workers, "of both pools")->capture_default_str();
    app.add_option("--calls", how.calls, "empty tasks, one at a time")->capture_default_str();
    app.add_option("--tasks", how.tasks, "small tasks in a stream")->capture_default_str();
    app.add_option("--large", how.large, "tasks with 1 MiB")->capture_default_str();
    app.add_option("--rounds", how.rounds, "how often all is measured")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    try {
        std::vector<line> lines{{"call", "empty task, submit to result, one by one", 20},
                                {"stream", fmt::format("a task of a stream of {}", how.tasks), 100},
                                {"1MiB", "task with an argument of 1 MiB", 10}};
        for (int round = 0; round < how.rounds; ++round) {
            const auto theirs = measure_python(how);
            const auto ours = measure_ours(how);
            for (auto& each : lines) {
                each.theirs.push_back(theirs.at(each.name));
                each.ours.push_back(ours.at(each.name));
                each.ratios.push_back(theirs.at(each.name) / ours.at(each.name));
            }
        }
        fmt::print("{} worker{} on each side, {} rounds in turn\n", how.workers,
                   how.workers == 1 ? "" : "s", how.rounds);
        print(lines);
    } catch (const std::exception& failed) {
        fmt::print(stderr, "ringpipe_bench_pool: {}\n", failed.what());
        return 1;
    }
    return 0;
}
