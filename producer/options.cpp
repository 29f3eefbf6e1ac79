#include "producer/options.hpp"

#include <unistd.h>

#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/progress.hpp"
#include "common/units.hpp"
#include "shm/name.hpp"

namespace ringpipe::producer_program {
namespace {

constexpr const char* description =
    "Sends messages into a ring in shared memory: each line of the files, or of standard input.\n"
    "Makes the ring if it is not there. Waits while it is full.";

const std::string footer =
    "Examples:\n"
    "  seq 1000000 | ringpipe-producer jobs           each line a message; then, elsewhere:\n"
    "  ringpipe-consumer jobs                         as many of these as you like share them\n"
    "  ringpipe-producer jobs --groups index,archive *.log\n"
    "                                                 both groups see every line\n"
    "  ringpipe-producer jobs --framing chunks:64KiB disk.img\n"
    "  ringpipe-producer jobs --generate 1M:256 --rate 10k\n"
    "                                                 test messages, for ringpipe-consumer "
    "--verify\n"
    "  ringpipe-producer jobs --resume nightly a.log b.log\n"
    "                                                 killed at any point and started again, it "
    "sends\n"
    "                                                 the rest, and nothing twice\n"
    "\n"
    "With --resume the ring remembers, under that name, how many bytes of the input are sent. The\n"
    "next start skips them: it needs the same inputs in the same order, with the same --framing.\n"
    "Standard input is read and dropped up to there. What ends with any other code than 0 is\n"
    "truncated only until it is started again.\n"
    "\n"
    "Exit codes:\n"
    "  0   all was sent; what was sent is in the ring, whether or not somebody reads it yet\n" +
    std::string{command_line::sysexits_help} +
    "After any code but 0 the consumers are told that the stream is truncated.";

std::vector<std::string> parse_groups(const std::string& text) {
    std::vector<std::string> groups;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        groups.push_back(text.substr(begin, end - begin));
        check_name(groups.back(), "group");
        begin = end + 1;
    }
    return groups;
}

std::uint32_t parse_slots(const std::string& text) {
    const auto slots = parse_count(text);
    if (slots == 0 || slots > 0xffff) {
        throw error{errc::invalid_argument, in_quotes(text) + " is not between 1 and 65535"};
    }
    return static_cast<std::uint32_t>(slots);
}

void add_source_options(CLI::App& app, options& o) {
    using command_line::add;
    app.add_option("RING", o.ring, "The ring's name; with a / in it, the path of its file")
        ->required();
    auto* files = app.add_option("FILE", o.files, "What to read; - is standard input, the default");
    add(
        app, "--framing", o.framing, [](const std::string& t) { return parse_framing(t); },
        "What a message is: a line (the default), up to a NUL, what follows its 4-byte "
        "little-endian length, N bytes, or up to N bytes")
        ->type_name("lines|nul|length|fixed:N|chunks:N");
    auto* generate =
        add(
            app, "--generate", o.generate, [](const std::string& t) { return parse_generate(t); },
            "Send numbered, checksummed test messages instead (of 64 bytes)")
            ->type_name("COUNT[:SIZE]")
            ->excludes(files);
    add(
        app, "--resume", o.resume,
        [](const std::string& name) {
            check_name(name, "producer");
            return name;
        },
        "Go on where the last producer of this name was stopped or killed: the rest of the input, "
        "and nothing twice")
        ->type_name("NAME")
        ->excludes(generate);
    add(
        app, "--count", o.count, [](const std::string& t) { return parse_count(t); },
        "Stop after N messages")
        ->type_name("N");
    add(
        app, "--rate", o.rate, [](const std::string& t) { return parse_rate(t); },
        "At most so many messages a second (10k), or bytes (64KiB)")
        ->type_name("RATE");
}

void add_ring_options(CLI::App& app, options& o) {
    using command_line::add;
    constexpr auto group = "If the ring is new";
    add(app, "--groups", o.groups, parse_groups,
        "Groups that see every message from here on, also those sent before they come")
        ->type_name("A,B,...");
    add(
        app, "--capacity", o.creation.capacity, [](const std::string& t) { return parse_size(t); },
        "How much it holds: a size as 64MiB, rounded up to a power of two (16 MiB)")
        ->type_name("SIZE")
        ->group(group);
    add(app, "--mode", o.creation.mode, command_line::parse_mode, "Permissions of its file (0600)")
        ->type_name("OCTAL")
        ->group(group);
    add(app, "--members", o.creation.members, parse_slots,
        "How many producers and consumers at a time (128)")
        ->type_name("N")
        ->group(group);
    add(app, "--group-slots", o.creation.groups, parse_slots, "How many groups at a time (16)")
        ->type_name("N")
        ->group(group);
}

}  // namespace

std::optional<options> parse_options(int argc, const char* const* argv) {
    options o;
    CLI::App app{description, std::string{program_name}};
    app.footer(footer);
    add_source_options(app, o);
    add_ring_options(app, o);
    command_line::add_choice<wait_strategy>(app, "--wait", o.wait,
                                            {{"adaptive", wait_strategy::adaptive},
                                             {"spin", wait_strategy::spin},
                                             {"block", wait_strategy::block}},
                                            "How to wait for room");
    std::optional<bool> progress;
    app.add_flag("--progress,!--no-progress", progress,
                 "Show how far it is (by default, on a terminal)");
    app.add_flag("--stats", o.stats, "One line of JSON on standard error at the end");
    if (!command_line::parse(app, argc, argv)) { return std::nullopt; }

    if (o.files.empty()) { o.files.emplace_back("-"); }
    // Not while somebody types the messages.
    const bool typed = !o.generate && o.files.front() == "-" && ::isatty(STDIN_FILENO) == 1;
    o.progress = progress.value_or(stderr_is_terminal() && !typed);
    return o;
}

}  // namespace ringpipe::producer_program
