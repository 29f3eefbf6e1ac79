// What was measured, as tables for people and as JSON for programs.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "bench/cell.hpp"
#include "bench/machine.hpp"
#include "bench/rounds.hpp"

namespace ringpipe::bench {

// One pair of tables per regime that was seen; `peer` names the column that compares with it.
void print_tables(std::FILE* to, const std::vector<row>& rows, const std::string& peer);

// Every sample with its probes. Throws std::runtime_error if the file cannot be written.
void write_json(const std::string& path, const machine& where, const settings& how,
                const std::vector<row>& rows);

}  // namespace ringpipe::bench
