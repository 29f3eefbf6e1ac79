// ringpipe_bench_pool: process_pool beside Python's ProcessPoolExecutor, in one run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/pool_tasks.hpp"
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
    const auto command = fmt::format("python3 '{}' {} {} {} {}", how.script, how.workers,
                                     how.calls / 4, how.tasks, how.large / 2);
    const std::unique_ptr<FILE, int (*)(FILE*)> output{::popen(command.c_str(), "r"), ::pclose};
    if (!output) { throw std::runtime_error{"cannot start python3"}; }
    std::string text;
    for (int c = 0; (c = std::fgetc(output.get())) != EOF;) { text += static_cast<char>(c); }
    std::istringstream lines{text};
    seconds_per_task found;
    std::string name;
    double seconds = 0;
    while (lines >> name >> seconds) { found[name] = seconds; }
    if (found.size() != 3) { throw std::runtime_error{"python3 did not measure: " + text}; }
    return found;
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
    app.add_option("--rounds", how.rounds, "how often all is measured")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        fmt::print("{:<8} {:>14} {:>14} {:>8} {:>8}\n", "what", "python", "ringpipe", "ratio",
                   "goal");
        const std::map<std::string, int> goals{{"call", 20}, {"stream", 100}, {"1MiB", 10}};
        for (int round = 0; round < how.rounds; ++round) {
            const auto theirs = measure_python(how);
            const auto ours = measure_ours(how);
            for (const auto& [name, goal] : goals) {
                fmt::print("{:<8} {:>11.2f} us {:>11.2f} us {:>7.1f}x {:>7}x\n", name,
                           theirs.at(name) * 1e6, ours.at(name) * 1e6,
                           theirs.at(name) / ours.at(name), goal);
            }
        }
    } catch (const std::exception& failed) {
        fmt::print(stderr, "ringpipe_bench_pool: {}\n", failed.what());
        return 1;
    }
    return 0;
}
