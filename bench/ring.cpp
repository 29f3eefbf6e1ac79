// ringpipe_bench_ring: the ring beside the floors of the machine and a lock-free queue.
#include <cstdio>

#include "bench/at_rest.hpp"
#include "bench/program.hpp"
#include "bench/report.hpp"

namespace {

using namespace ringpipe::bench;

struct options : common_options {
    bool idle = false;
    bool memory = false;
};

std::vector<cell> chosen_cells(const options& chosen) {
    std::vector<cell> cells;
    for (const auto group : {floor_cells, spsc_cells, ringpipe_cells}) {
        for (auto& one : group(chosen.how)) { cells.push_back(std::move(one)); }
    }
    return matching(std::move(cells), chosen.only);
}

int run_bench(const options& chosen) {
    const auto cells = chosen_cells(chosen);
    if (chosen.list) {
        print_names(cells);
        return 0;
    }
    const auto where = print_machine(chosen);
    if (chosen.idle) {
        print_idle(stdout, chosen.how.capacity, std::chrono::seconds{5}, chosen.rounds.cores);
    }
    if (chosen.memory) { print_memory(stdout, chosen.how.capacity, chosen.rounds.cores); }
    if (chosen.idle || chosen.memory) { return 0; }

    const auto rows = run_rounds(cells, chosen.rounds);
    print_tables(stdout, rows, "spsc");
    if (!chosen.json.empty()) { write_json(chosen.json, where, chosen.how, rows); }
    return any_failed(rows);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures ringpipe between two processes, beside what the machine can do.",
                 "ringpipe_bench_ring"};
    options chosen;
    app.add_flag("--idle", chosen.idle, "instead: CPU use of a waiting process, over 5 s each");
    app.add_flag("--memory", chosen.memory, "instead: resident memory of an attached process");
    return run_program(app, argc, argv, chosen, [&] { return run_bench(chosen); });
}
