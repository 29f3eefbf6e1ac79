// What all benchmarks' programs have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "bench/machine.hpp"
#include "bench/rounds.hpp"

namespace ringpipe::bench {

struct common_options {
    settings how;
    round_options rounds;
    std::string only;
    std::string json;
    bool list = false;
};

void add_common_options(CLI::App& app, common_options& chosen);

// Those whose name matches `only`.
[[nodiscard]] std::vector<cell> matching(std::vector<cell> cells, const std::string& only);

void print_names(const std::vector<cell>& cells);

// Prints the machine, and returns it.
machine print_machine(const common_options& chosen);

// Parses, runs, and returns the exit code; errors are printed as one line.
int run_program(CLI::App& app, int argc, char** argv, common_options& chosen,
                const std::function<int()>& run);

}  // namespace ringpipe::bench
