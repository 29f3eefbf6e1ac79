// Commands of the shell as cells: two processes that only start others, and watch.
#pragma once

#include <functional>
#include <string>

#include "bench/cell.hpp"

namespace ringpipe::bench {

// What the command wrote, and how long it took.
struct command_result {
    std::string output;
    double seconds = 0;
};

// A cell that runs `script` with /bin/sh; `judge` checks and measures. In the script, BIN is the
// folder of our programs, FIRST_CORE and SECOND_CORE are the cores; the rest is for `prepare` to
// set.
[[nodiscard]] cell command_cell(const std::string& script,
                                const std::function<measurement(const command_result&)>& judge);

// The folder of the program that is running.
[[nodiscard]] std::string folder_of_programs();

// Empty if there is such a program; else why a cell is left out.
[[nodiscard]] std::string why_not_installed(const std::string& program);

}  // namespace ringpipe::bench
