// All cells of the comparison.
#pragma once

#include <string>
#include <vector>

#include "bench/cell.hpp"

namespace ringpipe::bench {

[[nodiscard]] std::vector<cell> all_cells_of_everyone(const settings& how);

// The peers that this program was built without: "ZeroMQ (libzmq3-dev)".
[[nodiscard]] std::vector<std::string> missing_peers();

}  // namespace ringpipe::bench
