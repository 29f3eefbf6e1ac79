// The subcommands of `ringpipe`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace ringpipe::pipeline {

struct command {
    CLI::App* options;            // of the command line; converts to true if it was chosen
    std::function<int()> action;  // returns the exit code; throws error
};

command add_run(CLI::App& app);
command add_stage(CLI::App& app);  // internal: what add_run's command starts
command add_scale(CLI::App& app);
command add_demo(CLI::App& app);
command add_ls(CLI::App& app);
command add_stat(CLI::App& app);
command add_dead(CLI::App& app);
command add_top(CLI::App& app);
command add_tap(CLI::App& app);
command add_record(CLI::App& app);
command add_replay(CLI::App& app);
command add_rm(CLI::App& app);
command add_gc(CLI::App& app);
command add_doctor(CLI::App& app);
command add_metrics(CLI::App& app);
#ifdef RINGPIPE_HAS_BRIDGE
command add_bridge(CLI::App& app);
#endif
command add_help(CLI::App& app);

}  // namespace ringpipe::pipeline
