#include "bench/catalogue.hpp"

#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

std::vector<cell> all_cells_of_everyone(const settings& how) {
    std::vector<cell> all;
    for (const auto group : {
             floor_cells, ringpipe_cells, spsc_cells, boost_queue_cells,
#if defined(RINGPIPE_BENCH_ICEORYX)
                 iceoryx_cells,
#endif
#if defined(RINGPIPE_BENCH_ZEROMQ)
                 zeromq_cells,
#endif
#if defined(RINGPIPE_BENCH_NNG)
                 nng_cells,
#endif
                 pipe_cells, unix_socket_cells, posix_queue_cells, python_cells,
                 ringpipe_many_cells, waiting_cells, growth_cells, shell_cells,
         }) {
        for (auto& one : group(how)) { all.push_back(std::move(one)); }
    }
    return all;
}

std::vector<std::string> missing_peers() {
    return {
#if !defined(RINGPIPE_BENCH_ICEORYX)
        "iceoryx (libiceoryx-posh-dev)",
#endif
#if !defined(RINGPIPE_BENCH_ZEROMQ)
            "ZeroMQ (libzmq3-dev)",
#endif
#if !defined(RINGPIPE_BENCH_NNG)
            "NNG (libnng-dev)",
#endif
    };
}

}  // namespace ringpipe::bench
