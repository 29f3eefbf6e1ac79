#include <memory>
#include <optional>
#include <string>

#include "common/command_line.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/launch.hpp"
#include "pipeline/say.hpp"
#include "pipeline/temporary.hpp"

namespace ringpipe::pipeline {
namespace {

struct run_options {
    std::string producer;
    std::string consumer;
    unsigned consumers = 1;
    std::optional<std::string> ring;
    std::optional<std::uint64_t> capacity;
    bool keep = false;
};

constexpr auto examples =
    R"(CMD is a line for /bin/sh. In it, {ring} is the ring's name (also in RINGPIPE_RING) and {n}
the number of the consumer, from 1 (also in RINGPIPE_NUMBER). The folder of this program
comes first in PATH. The producer has the standard input; consumers have none.

Examples:
  ringpipe run --producer 'ringpipe-producer {ring} access.log' \
               --consumer 'ringpipe-consumer {ring} | sort | uniq -c'
  zcat *.gz | ringpipe run --producer 'ringpipe-producer {ring}' \
               --consumers 4 --consumer 'ringpipe-consumer {ring} --to part.{n}'

The consumers start when the producer has made the ring. A signal to this program goes to
all of them. Exit code: 0, or that of the first command that failed (128 + N if signal N
killed it; 3 from a consumer: the stream was truncated).)";

int run(const run_options& options) {
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
    auto* sub = app.add_subcommand("run", "Starts a producer and its consumers, and waits for all");
    auto options = std::make_shared<run_options>();
    sub->add_option("--producer", options->producer, "The command that fills the ring")
        ->required()
        ->type_name("CMD");
    sub->add_option("--consumer", options->consumer, "The command that empties it")
        ->required()
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
