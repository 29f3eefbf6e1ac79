// ringpipe: starts the two sides of a ring, and looks after rings.
#include <cstdlib>
#include <string>
#include <vector>

#include "common/bus_error.hpp"
#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/program.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/say.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::pipeline;

constexpr auto description = "Joins programs through a ring in shared memory.";

const std::string footer =
    "Examples:\n"
    "  ringpipe demo                     a text through a ring to two consumers, checked\n"
    "  ringpipe run --producer 'ringpipe-producer {ring} access.log' \\\n"
    "               --consumer 'ringpipe-consumer {ring} | wc -l'\n"
    "  ringpipe run 'zcat log.gz' '4x ./parse' 'sort | uniq -c'    a pipe, with 4 parsers\n"
    "  ringpipe ls                       the rings of this machine\n"
    "  ringpipe stat jobs                who is at the ring 'jobs', and how far\n"
    "  ringpipe top                      all rings, as they flow\n"
    "  ringpipe tap jobs                 what passes through it\n"
    "  ringpipe dead jobs                what its consumers failed with\n"
    "  ringpipe rm jobs                  removes it\n"
    "\n"
    "Each command has its own help: ringpipe run --help. The two ends of a ring are\n"
    "programs, too: ringpipe-producer and ringpipe-consumer.\n"
    "\n"
    "Exit codes:\n"
    "  0   success\n"
    "  3   the stream was truncated (a consumer said so)\n" +
    std::string{command_line::sysexits_help};

int run(int argc, char** argv) {
    CLI::App app{description, std::string{program_name}};
    app.footer(footer);
    app.require_subcommand(0, 1);  // with 1, CLI11 would not name a mistyped command
    const std::vector<command> commands{
        add_run(app),    add_stage(app), add_scale(app), add_demo(app),   add_ls(app),
        add_stat(app),   add_top(app),   add_tap(app),   add_record(app), add_replay(app),
        add_dead(app),   add_rm(app),    add_gc(app),    add_doctor(app), add_metrics(app),
#ifdef RINGPIPE_HAS_BRIDGE
        add_bridge(app),
#endif
        add_help(app),
    };
    if (!command_line::parse(app, argc, argv)) { return EXIT_SUCCESS; }
    install_bus_error_handler(program_name);
    for (const auto& command : commands) {
        if (*command.options) { return command.action(); }
    }
    throw error{errc::invalid_argument, "a command is missing; see ringpipe --help"};
}

}  // namespace

int main(int argc, char** argv) {
    return ringpipe::run_program(program_name, [=] { return run(argc, argv); });
}
