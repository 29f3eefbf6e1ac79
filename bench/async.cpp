// ringpipe_bench_async: coroutines of two processes over rings, beside Asio's own sockets.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "bench/cells_async.hpp"
#include "bench/machine.hpp"
#include "bench/report.hpp"
#include "bench/rounds.hpp"
#include "bench/waiting_coroutines.hpp"
#include "common/units.hpp"
#include "shm/ring.hpp"

using namespace ringpipe;
using namespace ringpipe::bench;

int main(int argc, char** argv) {
    CLI::App app{"Measures coroutines on rings, beside the same over Asio's Unix sockets."};
    settings how;
    how.capacity = default_capacity;
    round_options rounds;
    rounds.progress = isatty(STDERR_FILENO) == 1;
    bool waiting = false;
    std::string json;
    app.add_option("--rounds", rounds.rounds, "how often each cell is measured")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option_function<std::string>(
        "--seconds", [&](const std::string& text) { how.time = parse_duration(text); },
        "of each measurement (0.25)");
    app.add_option("--json", json, "write every measurement to this file");
    app.add_flag("--waiting", waiting, "instead: threads, memory and CPU of coroutines that wait");
    try {
        (void)nanoseconds_per_tick();
        rounds.cores = default_cores();
        app.parse(argc, argv);
        const auto where = describe_machine(rounds.cores);
        fmt::print("{}\n", to_string(where));
        if (waiting) {
            for (const std::size_t coroutines : {100U, 1000U, 10000U}) {
                print_waiting(stdout, coroutines, 100);
            }
            return 0;
        }
        const auto rows = run_rounds(async_cells(how), rounds);
        print_tables(stdout, rows, "socket");
        if (!json.empty()) { write_json(json, where, how, rows); }
        return std::any_of(rows.begin(), rows.end(),
                           [](const row& one) { return !one.failure.empty(); });
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem);
    } catch (const interrupted& by) {
        return 128 + by.signal;
    } catch (const std::exception& problem) {
        fmt::print(stderr, "ringpipe_bench_async: {}\n", problem.what());
        return 70;
    }
}
