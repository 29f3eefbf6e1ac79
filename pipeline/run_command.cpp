#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/framing.hpp"
#include "common/progress.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/fresh_ring.hpp"
#include "pipeline/launch.hpp"
#include "pipeline/run/command_line_plan.hpp"
#include "pipeline/run/file_plan.hpp"
#include "pipeline/run/print_plan.hpp"
#include "pipeline/run/run_launch.hpp"
#include "pipeline/say.hpp"

namespace ringpipe::pipeline {
namespace {

struct run_options {
    std::vector<std::string> stages;
    std::string file;
    bool print = false;
    std::string name;
    bool resume = false;
    bool lockstep = false;
    bool keep_order = false;
    std::optional<unsigned> restarts;
    std::optional<std::uint64_t> block;
    std::optional<framing> frame;
    bool no_view = false;
    bool summary = false;
    std::string producer;
    std::string consumer;
    unsigned consumers = 1;
    std::optional<std::string> ring;
    std::optional<std::uint64_t> capacity;
    bool keep = false;
};

constexpr auto examples =
    R"(Stages: ringpipe run 'A' '4x B' 'C' is A | B | C with four copies of B that share the lines.
Each is a line for /bin/sh that reads lines and writes lines; between two is a ring. The first
reads this program's standard input, the last writes its standard output. RINGPIPE_NUMBER is the
number of the copy, from 1. What a stage says on standard error has its number before it.

A copy gets whole lines, in no order that you could count on. One that dies is started again
(--restart), if its stage has a count (1x too). The lines that it had read and not answered are
lost then, so the run goes on and fails at its end. Not so with --lockstep: each stage with a count
has to answer each line with one line, at once (jq -c --unbuffered, sed -u, grep --line-buffered,
stdbuf -oL); its lines are answered once each, as if nothing had happened. --keep-order gives the
answers in the order of the lines.

  ringpipe run 'zcat access.log.gz' '4x ./parse' 'sort | uniq -c'
  ringpipe run --lockstep --keep-order '8x ./model.py' < questions > answers
  ringpipe run --lockstep --restart 10 'cat jobs' '4x ./work' 'tee results'

As with a shell's pipefail the run fails if a stage does, with the code of the last that failed.
Of several copies those that end as grep does that finds nothing (1, without a word) fail the run
only if all do.
On a terminal its last line shows what flows: how full the ring before each stage is, the messages
per second, and the BOTTLENECK. ringpipe scale changes how many copies of a stage there are.
Ctrl-C stops the first stage and lets the rest come through; a second one ends all at once.

A run with a --name whose launcher was killed leaves its rings, and --resume goes on with them, given
the same stages. The source is started again, and what of it was sent is skipped: it has to give the
same bytes again. What --lockstep stages work on is asked again, and passes once, into a ring; what
was being written to standard output at that moment may come twice. Other stages start with empty
hands: what they had read and not answered is lost. --name implies --keep-order with --lockstep.

A file: ringpipe run -f pipeline.toml. A ring may have many writers (a merge), and many groups of
readers, each of which gets all (a tee); a stage is a group of its own unless it names one.

  [ring.lines]                         # only needed for its options
  capacity = "64MiB"                   # mode = "0660"
  [[stage]]
  command = "zcat access.log.gz"
  to = "lines"
  [[stage]]
  name = "parse"
  command = "./parse"
  copies = 4
  from = "lines"
  to = "records"                       # without: standard output; without from: standard input
  lockstep = true                      # keep-order, framing, block, restart = 3, group,
  environment = { LANG = "C" }         # directory = "/srv"
  [[stage]]
  command = "sort | uniq -c"
  from = "records"

from and to may be "nats://HOST:PORT/STREAM", for a pipeline over several machines: see ringpipe
bridge --help.

Producer and consumers: --producer and --consumer start programs that know the ring themselves.
In CMD {ring} is the ring's name (also in RINGPIPE_RING) and {n} the number of the consumer, from
1 (also in RINGPIPE_NUMBER). The folder of this program comes first in PATH. The producer has the
standard input; consumers have none.

  ringpipe run --producer 'ringpipe-producer {ring} access.log' \
               --consumer 'ringpipe-consumer {ring} | sort | uniq -c'
  zcat *.gz | ringpipe run --producer 'ringpipe-producer {ring}' \
               --consumers 4 --consumer 'ringpipe-consumer {ring} --to part.{n}'

The consumers start when the producer has made the ring. A signal to this program goes to
all of them. Exit code: 0, or that of the first command that failed (128 + N if signal N
killed it; 3 from a consumer: the stream was truncated).)";

void refuse(bool wrong, const char* why) {
    if (wrong) {
        throw error{errc::invalid_argument, std::string{why} + "; see ringpipe run --help"};
    }
}

int run_plan_of(const run_options& options, run_plan plan) {
    plan.resume = options.resume;
    refuse(options.resume && plan.name.empty(),
           "--resume needs the --name that the run was started with");
    if (options.print) {
        const auto text = print_plan(plan);
        std::fwrite(text.data(), 1, text.size(), stdout);
        return 0;
    }
    plan.view = !options.no_view && stderr_is_terminal();
    plan.summary = options.summary || stderr_is_terminal();
    return run_launch{std::move(plan)}.run();
}

int run_stages(const run_options& options) {
    refuse(!options.producer.empty() || !options.consumer.empty(),
           "stages and --producer or --consumer do not go together");
    refuse(options.ring || options.keep,
           "--ring and --keep are not for stages, which have a ring "
           "between each two");
    refuse(options.keep_order && !options.lockstep,
           "--keep-order needs --lockstep: without it nobody knows which lines answer which");
    std::vector<stage_plan> stages;
    for (const auto& text : options.stages) { stages.push_back(parse_stage(text)); }
    refuse(options.lockstep && std::none_of(stages.begin(), stages.end(),
                                            [](const stage_plan& each) { return each.counted; }),
           "--lockstep is for stages with a count, and there is none; write '1x CMD' or '4x CMD'");
    stage_plan common;
    common.lockstep = options.lockstep;
    common.keep_order = options.keep_order;
    common.restarts = options.restarts.value_or(default_restarts);
    common.capacity = options.capacity;
    common.block = options.block;
    common.frame = options.frame.value_or(framing{});
    refuse(options.lockstep && common.frame.type == framing::kind::chunks,
           "--lockstep needs messages with an end, which --framing chunks has not");
    return run_plan_of(options, plan_of_line(stages, common, options.name));
}

int run_file(const run_options& options) {
    refuse(!options.stages.empty() || !options.producer.empty() || !options.consumer.empty(),
           "what is run stands in the file of -f, or on the command line, not in both");
    refuse(options.lockstep || options.keep_order || options.block || options.frame ||
               options.restarts || options.capacity || options.ring || options.keep ||
               !options.name.empty(),
           "with -f only --print, --resume, --no-view and --summary are options; the others are "
           "keys of the file");
    return run_plan_of(options, plan_of_file(options.file));
}

int run(const run_options& options) {
    if (!options.file.empty()) { return run_file(options); }
    if (!options.stages.empty()) { return run_stages(options); }
    refuse(options.producer.empty() || options.consumer.empty(),
           "nothing to run; give stages, or --producer and --consumer");
    refuse(options.lockstep || options.keep_order || options.block || options.frame ||
               options.print || options.restarts || options.resume || !options.name.empty(),
           "--lockstep, --keep-order, --block, --framing, --restart, --print, --name and --resume "
           "are for stages");
    fresh_ring fresh{"run"};
    if (options.keep) { fresh.keep(); }
    launch_plan plan;
    plan.ring = options.ring.value_or(fresh.name());
    plan.producer = options.producer;
    plan.consumer = options.consumer;
    plan.consumers = options.consumers;
    if (options.capacity) {
        ring_options made;
        made.capacity = options.capacity;
        ring::open_or_create(plan.ring, made);
    }
    const int result = launch{plan}.run();
    if (options.keep && !options.ring) { say("the ring is kept: {}", plan.ring); }
    return result;
}

}  // namespace

command add_run(CLI::App& app) {
    auto* sub = app.add_subcommand(
        "run", "Runs a pipe with many copies of a stage, or a producer and its consumers");
    auto options = std::make_shared<run_options>();
    sub->add_option("STAGE", options->stages, "A command, or so many copies of it: '4x CMD'");
    sub->add_option("-f,--file", options->file, "The stages and rings, in TOML")->type_name("FILE");
    sub->add_option("--name", options->name, "Of the run and its rings, so that it can be resumed")
        ->type_name("NAME");
    sub->add_flag("--resume", options->resume,
                  "Goes on with the rings of a run of this name that was killed");
    sub->add_flag("--print", options->print, "Only tells what would be started");
    sub->add_flag("--lockstep", options->lockstep,
                  "Stages with a count answer each line with one line; a killed one loses nothing");
    sub->add_flag("--keep-order", options->keep_order,
                  "With --lockstep: answers in the order of the lines");
    sub->add_option("--restart", options->restarts,
                    "So often each copy of a stage with a count is started again [3]")
        ->check(CLI::Range(0U, 1000000U))
        ->type_name("N");
    command_line::add(
        *sub, "--block", options->block, [](const std::string& t) { return parse_size(t); },
        "Lines that travel together at most [64KiB, with --lockstep 16KiB]")
        ->type_name("SIZE");
    command_line::add(
        *sub, "--framing", options->frame, [](const std::string& t) { return parse_framing(t); },
        "What the stages read and write: lines, nul, length, fixed:N, chunks:N [lines]")
        ->type_name("KIND");
    sub->add_flag("--no-view", options->no_view, "Without the line of what flows, on a terminal");
    sub->add_flag("--summary", options->summary,
                  "A line for each stage at the end [if standard error is a terminal]");
    sub->add_option("--producer", options->producer, "The command that fills the ring")
        ->type_name("CMD");
    sub->add_option("--consumer", options->consumer, "The command that empties it")
        ->type_name("CMD");
    sub->add_option("--consumers", options->consumers, "How many times to start it [1]")
        ->check(CLI::Range(1U, 1000U))
        ->type_name("N");
    sub->add_option("--ring", options->ring,
                    "An own ring, which stays [a new one, removed at the end]")
        ->type_name("NAME");
    command_line::add(
        *sub, "--capacity", options->capacity, [](const std::string& t) { return parse_size(t); },
        "Make the ring with this size, as in 64MiB")
        ->type_name("SIZE");
    sub->add_flag("--keep", options->keep, "Don't remove the new ring at the end");
    sub->footer(examples);
    return {sub, [options] { return run(*options); }};
}

}  // namespace ringpipe::pipeline
