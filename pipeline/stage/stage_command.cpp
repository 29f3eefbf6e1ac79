// ringpipe stage: what `ringpipe run` starts for each copy. Not for users.
#include <csignal>
#include <memory>

#include "common/command_line.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/stage/bulk.hpp"
#include "pipeline/stage/lockstep.hpp"
#include "pipeline/stage/merge.hpp"
#include "pipeline/stage/retirement.hpp"

namespace ringpipe::pipeline {
namespace {

// Interrupts are for the filter, and a reader that goes away is an error to be told, not the end.
// With a handler, and not SIG_IGN, the filter itself has the default again, as exec resets it;
// what was ignored before stays so.
void survive(int signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) { return; }
    action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, nullptr);
}

int run(const stage::options& what) {
    stage::await_retirement();
    survive(SIGPIPE);
    // A stage without a command is the source itself.
    if (!what.command.empty() || what.merge) { survive(SIGINT); }
    if (what.merge) { return stage::run_merge(what); }
    return what.lockstep ? stage::run_lockstep(what) : stage::run_bulk(what);
}

}  // namespace

command add_stage(CLI::App& app) {
    auto* sub = app.add_subcommand("stage", "One copy of a stage of ringpipe run")->group("");
    auto what = std::make_shared<stage::options>();
    sub->add_option("--label", what->label)->required();
    sub->add_option("--from", what->from);
    sub->add_option("--group", what->group);
    sub->add_option("--to", what->to);
    sub->add_option("--block", what->block);
    sub->add_flag("--lockstep", what->lockstep);
    sub->add_flag("--merge", what->merge);
    sub->add_flag("--numbered", what->numbered);
    sub->add_flag("--keep-order", what->keep_order);
    sub->add_option("--questions", what->questions);
    sub->add_option("--passed", what->passed);
    sub->add_flag("--resumable", what->resumable);
    sub->add_flag("--whole-lines", what->whole_lines);
    sub->add_flag("--one-of-many", what->one_of_many);
    sub->add_flag("--when-needed", what->when_needed);
    command_line::add(
        *sub, "--framing", what->frame, [](const std::string& text) { return parse_framing(text); },
        "");
    sub->add_option("--command", what->command);
    return {sub, [what] { return run(*what); }};
}

}  // namespace ringpipe::pipeline
