// ringpipe_bench_ring: the ring beside the floors of the machine and a lock-free queue.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cstdio>
#include <regex>

#include "bench/at_rest.hpp"
#include "bench/machine.hpp"
#include "bench/report.hpp"
#include "bench/rounds.hpp"
#include "common/error.hpp"
#include "common/units.hpp"
#include "shm/ring.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::bench;

// A few of the largest messages have to fit.
constexpr std::uint64_t least_capacity = std::uint64_t{1} << 20U;

struct options {
    settings how;
    round_options rounds;
    std::string only;
    std::string json;
    bool list = false;
    bool idle = false;
    bool memory = false;
};

void add_options(CLI::App& app, options& chosen) {
    const auto size = [&](const std::string& text) {
        chosen.how.capacity = std::bit_ceil(std::max(parse_size(text), least_capacity));
    };
    const auto time = [&](const std::string& text) { chosen.how.time = parse_duration(text); };
    app.add_option("--rounds", chosen.rounds.rounds, "how often each cell is measured")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option_function<std::string>("--seconds", time, "of each measurement (0.25)");
    app.add_option_function<std::string>("--capacity", size,
                                         "of the ring: a power of two, at least 1MiB (16MiB)");
    app.add_option("--only", chosen.only, "only cells whose name matches this regular expression");
    app.add_option("--json", chosen.json, "write every measurement to this file");
    app.add_option("--cores", chosen.rounds.cores,
                   "the two cores to run on (the first two allowed)");
    app.add_option("--far-above", chosen.rounds.far_above_ns,
                   "nanoseconds: a slower round trip of two raw atomics is the far regime")
        ->capture_default_str();
    app.add_flag("--list", chosen.list, "print the names of the cells");
    app.add_flag("--idle", chosen.idle, "instead: CPU use of a waiting process, over 5 s each");
    app.add_flag("--memory", chosen.memory, "instead: resident memory of an attached process");
}

std::vector<cell> chosen_cells(const options& chosen) {
    const std::regex only{chosen.only};
    std::vector<cell> cells;
    for (const auto group : {floor_cells, spsc_cells, ringpipe_cells}) {
        for (auto& one : group(chosen.how)) {
            if (std::regex_search(one.name, only)) { cells.push_back(std::move(one)); }
        }
    }
    return cells;
}

int run_bench(const options& chosen) {
    const auto cells = chosen_cells(chosen);
    if (chosen.list) {
        for (const auto& one : cells) { fmt::print("{}\n", one.name); }
        return 0;
    }
    const auto where = describe_machine(chosen.rounds.cores);
    fmt::print("{}\nring of {}\n", to_string(where), format_bytes(chosen.how.capacity));
    std::fflush(stdout);
    if (chosen.idle) {
        print_idle(stdout, chosen.how.capacity, std::chrono::seconds{5}, chosen.rounds.cores);
    }
    if (chosen.memory) { print_memory(stdout, chosen.how.capacity, chosen.rounds.cores); }
    if (chosen.idle || chosen.memory) { return 0; }

    const auto rows = run_rounds(cells, chosen.rounds);
    print_tables(stdout, rows, "spsc");
    if (!chosen.json.empty()) { write_json(chosen.json, where, chosen.how, rows); }
    return std::any_of(rows.begin(), rows.end(),
                       [](const row& one) { return !one.failure.empty(); });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures ringpipe between two processes, beside what the machine can do."};
    options chosen;
    chosen.how.capacity = default_capacity;
    chosen.rounds.progress = isatty(STDERR_FILENO) == 1;
    try {
        (void)nanoseconds_per_tick();
        chosen.rounds.cores = default_cores();
        add_options(app, chosen);
        app.parse(argc, argv);
        return run_bench(chosen);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem);
    } catch (const interrupted& by) { return 128 + by.signal; } catch (const error& problem) {
        fmt::print(stderr, "ringpipe_bench_ring: {}\n", problem.what());
        return exit_code_for(problem.which());
    } catch (const std::exception& problem) {
        fmt::print(stderr, "ringpipe_bench_ring: {}\n", problem.what());
        return 70;
    }
}
