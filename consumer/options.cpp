#include "consumer/options.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/progress.hpp"
#include "common/units.hpp"
#include "shm/name.hpp"

namespace ringpipe::consumer_program {
namespace {

constexpr const char* description =
    "Receives messages from a ring in shared memory and writes each as a line to standard output.\n"
    "A message is acknowledged once it is written: if this process is killed before, another\n"
    "member of its group gets it. Makes the ring if it is not there. Ends with the stream.";

const std::string footer =
    "Consumers of one group share the messages; each group sees all of them.\n"
    "\n"
    "Examples:\n"
    "  ringpipe-consumer jobs                         what `... | ringpipe-producer jobs` sends\n"
    "  ringpipe-consumer jobs --group archive --to all.log\n"
    "  ringpipe-consumer jobs --exec 'convert - thumb-$RINGPIPE_SEQUENCE.png'\n"
    "                                                 once for each message, on its standard "
    "input\n"
    "  ringpipe-consumer files --framing nul | xargs -0 sha256sum\n"
    "  ringpipe-consumer jobs --verify                what `ringpipe-producer --generate` sends\n"
    "\n"
    "A message whose consumers died, or with which the command of --exec failed, goes after\n"
    "--max-attempts to the ring RING.dead, and the stream goes on: see ringpipe dead --help.\n"
    "Each command has RINGPIPE_RING, RINGPIPE_SEQUENCE, RINGPIPE_ATTEMPT (from 1) and\n"
    "RINGPIPE_REDELIVERED (1: another consumer may have worked on it) in its environment.\n"
    "\n"
    "Exit codes:\n"
    "  0   the stream has ended, or --count is reached, or nobody reads the output any longer\n"
    "  3   the stream is truncated: a producer died or gave up before its end\n" +
    std::string{command_line::sysexits_help} +
    "65 is also for --verify, if it found something; 75 for --timeout.";

std::string checked_group(const std::string& name) {
    check_name(name, "group");
    return name;
}

std::uint32_t at_least(std::uint32_t least, const std::string& text) {
    const auto number = parse_count(text);
    if (number < least || number > std::numeric_limits<std::uint32_t>::max()) {
        throw error{errc::invalid_argument, in_quotes(text) + " is not between " +
                                                std::to_string(least) + " and 4294967295"};
    }
    return static_cast<std::uint32_t>(number);
}

std::uint32_t positive(const std::string& text) { return at_least(1, text); }
std::uint32_t any_number(const std::string& text) { return at_least(0, text); }

void add_group_options(CLI::App& app, options& o) {
    using command_line::add;
    using command_line::add_choice;
    app.add_option("RING", o.ring, "The ring's name; with a / in it, the path of its file")
        ->required();
    add(app, "--group", o.endpoint.group, checked_group, "The group to join (default)")
        ->type_name("NAME");
    add_choice<start_at>(app, "--from", o.endpoint.from,
                         {{"earliest", start_at::earliest}, {"latest", start_at::latest}},
                         "Where a new group begins");
    app.add_flag_callback(
        "--ephemeral", [&o] { o.endpoint.kind = group_kind::ephemeral; },
        "A new group is gone with its last member, and its place with it");
    add(
        app, "--capacity", o.creation.capacity, [](const std::string& t) { return parse_size(t); },
        "Of a new ring: how much it holds (16 MiB)")
        ->type_name("SIZE");
    add(app, "--mode", o.creation.mode, command_line::parse_mode,
        "Of a new ring: permissions of its file (0600)")
        ->type_name("OCTAL");
}

void add_work_options(CLI::App& app, options& o) {
    using command_line::add;
    auto* to = app.add_option("--to", o.to, "Write to this file; - is standard output, the default")
                   ->type_name("FILE");
    auto* framing =
        add(
            app, "--framing", o.framing, [](const std::string& t) { return parse_framing(t); },
            "How messages are told apart: as lines (the default), by NUL, by a 4-byte "
            "little-endian length before each, or not at all")
            ->type_name("lines|nul|length|fixed:N|chunks:N");
    auto* exec = app.add_option("--exec", o.exec,
                                "Run this for each message, by /bin/sh, instead of writing it; "
                                "exit code 0 acknowledges it, after any other it runs again, "
                                "after 100 ms, 200 ms, ... 5 s")
                     ->type_name("CMD")
                     ->excludes(to)
                     ->excludes(framing);
    add(app, "--max-attempts", o.endpoint.max_attempts, any_number,
        "After so many a message goes to the ring RING.dead (5); 0: never")
        ->type_name("N");
    app.add_flag("--verify", o.verify,
                 "Check generated messages instead: none missing, damaged or out of order")
        ->excludes(to)
        ->excludes(framing)
        ->excludes(exec);
}

void add_end_options(CLI::App& app, options& o) {
    using command_line::add;
    add(
        app, "--count", o.count, [](const std::string& t) { return parse_count(t); },
        "End after N messages")
        ->type_name("N");
    add(
        app, "--timeout", o.timeout, [](const std::string& t) { return parse_duration(t); },
        "Give up when nothing comes for so long: 250ms, 30 (seconds), 5m")
        ->type_name("TIME");
    app.add_flag("--follow", o.follow, "At the end of the stream, wait for another producer");
}

}  // namespace

std::optional<options> parse_options(int argc, const char* const* argv) {
    using command_line::add;
    options o;
    o.endpoint.name = program_name;
    CLI::App app{description, std::string{program_name}};
    app.footer(footer);
    add_group_options(app, o);
    add_work_options(app, o);
    add_end_options(app, o);
    std::optional<std::uint32_t> prefetch;
    add(app, "--prefetch", prefetch, positive,
        "Take at most N messages at a time (4096; with --exec 1)")
        ->type_name("N");
    command_line::add_choice<wait_strategy>(app, "--wait", o.endpoint.wait,
                                            {{"adaptive", wait_strategy::adaptive},
                                             {"spin", wait_strategy::spin},
                                             {"block", wait_strategy::block}},
                                            "How to wait for messages");
    std::optional<bool> progress;
    app.add_flag("--progress,!--no-progress", progress,
                 "Show how far it is (by default, on a terminal)");
    app.add_flag("--stats", o.stats, "One line of JSON on standard error at the end");
    if (!command_line::parse(app, argc, argv)) { return std::nullopt; }

    if (!o.exec.empty()) { o.endpoint.prefetch = 1; }
    if (prefetch) { o.endpoint.prefetch = *prefetch; }
    if (o.count && *o.count > 0 && *o.count < o.endpoint.prefetch) {
        o.endpoint.prefetch = static_cast<std::uint32_t>(*o.count);
    }
    // Not where it would mix with the messages.
    const bool shown = o.exec.empty() && !o.verify && o.to == "-" && ::isatty(STDOUT_FILENO) == 1;
    o.progress = progress.value_or(stderr_is_terminal() && !shown && o.exec.empty());
    return o;
}

}  // namespace ringpipe::consumer_program
