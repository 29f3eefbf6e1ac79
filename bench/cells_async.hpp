// Coroutines of two processes, joined by rings, beside the same over Asio's Unix stream sockets.
#pragma once

#include <vector>

#include "bench/cell.hpp"

namespace ringpipe::bench {

[[nodiscard]] std::vector<cell> async_cells(const settings& how);

}  // namespace ringpipe::bench
