// The peers that there are. Those with a library of their own are only built where it is found.
#pragma once

#include <vector>

#include "bench/cell.hpp"

namespace ringpipe::bench {

[[nodiscard]] std::vector<cell> boost_queue_cells(const settings& how);
[[nodiscard]] std::vector<cell> iceoryx_cells(const settings& how);
[[nodiscard]] std::vector<cell> nng_cells(const settings& how);
[[nodiscard]] std::vector<cell> pipe_cells(const settings& how);
[[nodiscard]] std::vector<cell> posix_queue_cells(const settings& how);
[[nodiscard]] std::vector<cell> python_cells(const settings& how);
[[nodiscard]] std::vector<cell> ringpipe_many_cells(const settings& how);
[[nodiscard]] std::vector<cell> shell_cells(const settings& how);
[[nodiscard]] std::vector<cell> unix_socket_cells(const settings& how);
[[nodiscard]] std::vector<cell> zeromq_cells(const settings& how);

}  // namespace ringpipe::bench
