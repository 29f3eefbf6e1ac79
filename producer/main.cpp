// ringpipe-producer: reads files or standard input and sends messages into a ring.
#include <cstdlib>

#include "common/bus_error.hpp"
#include "common/program.hpp"
#include "common/shutdown.hpp"
#include "producer/options.hpp"
#include "producer/produce.hpp"

int main(int argc, char** argv) {
    using namespace ringpipe;
    using namespace ringpipe::producer_program;
    return run_program(program_name, [&] {
        const auto options = parse_options(argc, argv);
        if (!options) { return EXIT_SUCCESS; }
        install_stop_signals();
        install_bus_error_handler(program_name, options->ring);
        return produce(*options);
    });
}
