// ringpipe-consumer: receives messages from a ring and writes, verifies or hands them to a command.
#include <cstdlib>

#include "common/bus_error.hpp"
#include "common/program.hpp"
#include "common/shutdown.hpp"
#include "consumer/consume.hpp"
#include "consumer/options.hpp"

int main(int argc, char** argv) {
    using namespace ringpipe;
    using namespace ringpipe::consumer_program;
    return run_program(program_name, [&] {
        const auto options = parse_options(argc, argv);
        if (!options) { return EXIT_SUCCESS; }
        install_stop_signals();
        // A command of --exec would inherit it; and it writes by itself.
        if (options->exec.empty()) { ignore_broken_pipe(); }
        install_bus_error_handler(program_name, options->ring);
        return consume(*options);
    });
}
