// ringpipe_bench_compare: ringpipe beside those it is compared with.
#include <fmt/format.h>

#include <cstdio>

#include "bench/catalogue.hpp"
#include "bench/program.hpp"
#include "bench/report.hpp"

namespace {

using namespace ringpipe::bench;

int run_bench(const common_options& chosen) {
    const auto cells = matching(all_cells_of_everyone(chosen.how), chosen.only);
    if (chosen.list) {
        print_names(cells);
        return 0;
    }
    const auto where = print_machine(chosen);
    const auto rows = run_rounds(cells, chosen.rounds);
    print_tables(stdout, rows, "spsc");
    if (!chosen.json.empty()) { write_json(chosen.json, where, chosen.how, rows); }
    return any_failed(rows);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures ringpipe and its peers in the same run.", "ringpipe_bench_compare"};
    common_options chosen;
    chosen.how.sizes.assign(message_sizes.begin(), message_sizes.end());
    return run_program(app, argc, argv, chosen, [&] { return run_bench(chosen); });
}
