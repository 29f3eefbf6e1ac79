#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "common/command_line.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/run/control.hpp"
#include "pipeline/run/stage_plan.hpp"
#include "pipeline/say.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {
namespace {

struct scale_options {
    std::string target;
    unsigned copies = 0;
    std::optional<std::chrono::nanoseconds> timeout;
};

int scale(const scale_options& options) {
    // A ring may be a path, a group has no slash.
    const auto slash = options.target.rfind('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == options.target.size()) {
        throw error{errc::invalid_argument,
                    fmt::format("cannot read {} as a ring and a group of it; write RING/GROUP, as "
                                "in jobs-1/default (ringpipe stat RING shows its groups)",
                                in_quotes(options.target))};
    }
    scale_order order;
    order.ring = options.target.substr(0, slash);
    order.group = options.target.substr(slash + 1);
    order.copies = options.copies;
    const auto until = options.timeout ? after(*options.timeout) : never;
    (void)ring::open(order.ring, after(std::chrono::seconds{1}));  // says what is wrong with it
    const auto result = ask_run(order, until);
    if (result.exit_code == 0) {
        fmt::print("{}\n", result.line);
    } else {
        say("{}", result.line);
    }
    return result.exit_code;
}

}  // namespace

command add_scale(CLI::App& app) {
    auto* sub = app.add_subcommand("scale", "Changes how many copies of a stage run");
    auto options = std::make_shared<scale_options>();
    sub->add_option("RING/GROUP", options->target, "What the stage reads")
        ->required()
        ->type_name("");
    sub->add_option("N", options->copies, "How many copies there are to be")
        ->required()
        ->check(CLI::Range(1U, most_copies))
        ->type_name("");
    command_line::add(
        *sub, "--timeout", options->timeout,
        [](const std::string& text) { return parse_duration(text); },
        "Wait no longer for copies that leave; they do it all the same")
        ->type_name("TIME");
    sub->footer(
        "Of a ringpipe run that is under way; ringpipe run --print tells what the rings and "
        "groups\n"
        "are called, behind the name of the run: with --name jobs, the second stage of\n"
        "\n"
        "  ringpipe run --name jobs 'zcat log.gz' '1x ./parse' 'sort | uniq -c'\n"
        "\n"
        "reads jobs-1/default, and\n"
        "\n"
        "  ringpipe scale jobs-1/default 4\n"
        "\n"
        "gives it three copies more. New copies have new numbers. A copy that leaves takes "
        "nothing\n"
        "more, works on to the end of what it has, and ends with its filter; the command waits "
        "for\n"
        "that. The last stage can be scaled only if it was started with a count, as 1x; the "
        "source\n"
        "cannot.");
    return {sub, [options] { return scale(*options); }};
}

}  // namespace ringpipe::pipeline
