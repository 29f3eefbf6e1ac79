// ringpipe_bench_compare: ringpipe beside those it is compared with.
#include <fmt/format.h>

#include <cstdio>

#include "bench/catalogue.hpp"
#include "bench/comparison.hpp"
#include "bench/program.hpp"
#include "bench/report.hpp"

namespace {

using namespace ringpipe::bench;

struct options : common_options {
    bool quick = false;
    bool markdown = false;
    std::string picture;
};

int run_bench(const options& chosen) {
    const auto cells = matching(all_cells_of_everyone(chosen.how), chosen.only);
    if (chosen.list) {
        print_names(cells);
        return 0;
    }
    for (const auto& missing : missing_peers()) {
        fmt::print(stderr, "ringpipe_bench_compare: built without {}\n", missing);
    }
    const auto where = print_machine(chosen);
    const auto rows = run_rounds(cells, chosen.rounds);
    print_comparisons(stdout, rows, chosen.markdown ? format::markdown : format::text);
    if (!chosen.json.empty()) { write_json(chosen.json, where, chosen.how, rows); }
    if (!chosen.picture.empty()) { write_picture(chosen.picture, where, rows); }
    return any_failed(rows);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures ringpipe and its peers in the same run.", "ringpipe_bench_compare"};
    options chosen;
    chosen.rounds.rounds = 5;
    chosen.how.sizes.assign(message_sizes.begin(), message_sizes.end());
    app.add_flag("--quick", chosen.quick, "3 rounds of 80 ms: a first look");
    app.add_flag("--markdown", chosen.markdown, "print the tables as docs/performance.md has them");
    app.add_option("--svg", chosen.picture, "draw the picture into this file");
    return run_program(app, argc, argv, chosen, [&] {
        if (chosen.quick && app.count("--rounds") == 0) { chosen.rounds.rounds = 3; }
        if (chosen.quick && app.count("--seconds") == 0) {
            chosen.how.time = std::chrono::milliseconds{80};
        }
        return run_bench(chosen);
    });
}
