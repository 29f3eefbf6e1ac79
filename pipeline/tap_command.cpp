#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "common/bus_error.hpp"
#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/frame_writer.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/pattern.hpp"
#include "pipeline/say.hpp"
#include "shm/tap.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

// How long a signal may go unnoticed.
constexpr auto tick = 100ms;

struct tap_options {
    std::string ring;
    start_at from = start_at::latest;
    ringpipe::framing framing;
    std::optional<double> rate;  // messages per second
    std::optional<std::uint64_t> count;
    std::optional<pattern> grep;
};

// "10/s" or "10".
double parse_per_second(const std::string& text) {
    const auto number = text.ends_with("/s") ? text.substr(0, text.size() - 2) : text;
    const auto value = parse_count(number);
    if (value == 0) {
        throw error{errc::invalid_argument, in_quotes(text) + " would show nothing"};
    }
    return static_cast<double>(value);
}

// Lets so many through in each second, and leaves out the others: to slow down would only show
// old messages, and miss others in their place.
class gate {
  public:
    explicit gate(std::optional<double> rate) : rate_{rate} {}

    bool opens() {
        if (!rate_) { return true; }
        const auto now = clock::now();
        if (now < due_) { return false; }
        const std::chrono::duration<double> apart{1 / *rate_};
        // Who was quiet for a while does not save that up, but for a moment.
        due_ = std::max(due_, now - 10ms) + std::chrono::ceil<clock::duration>(apart);
        return true;
    }

  private:
    std::optional<double> rate_;
    deadline due_ = deadline::min() + 1h;
};

// Says what was missed: not more often than each second, and the rest at the end.
class missed_messages {
  public:
    explicit missed_messages(const ringpipe::tap& of) : of_{of} {}

    void look(bool at_end = false) {
        const auto missed = of_.missed();
        if (missed == told_ || (!at_end && clock::now() < due_)) { return; }
        say("{} {} missed: written over before this tap came to {}; a consumer misses none",
            format_count(missed - told_), missed - told_ == 1 ? "message was" : "messages were",
            missed - told_ == 1 ? "it" : "them");
        told_ = missed;
        due_ = after(1s);
    }

  private:
    const ringpipe::tap& of_;
    std::uint64_t told_ = 0;
    deadline due_ = deadline::min();
};

int show(ringpipe::tap& passing, const tap_options& options) {
    frame_writer out{STDOUT_FILENO, options.framing};
    gate limit{options.rate};
    missed_messages missed{passing};
    tapped_message message;
    std::uint64_t shown = 0;
    auto status = receive_status::timed_out;
    while (!stop_requested() && (!options.count || shown < *options.count)) {
        status = passing.try_receive(message);
        if (status == receive_status::timed_out) {
            // Nothing more at hand: what is there is seen now.
            if (out.flush() == write_status::closed) { return EXIT_SUCCESS; }
            status = passing.receive_for(message, tick);
        }
        missed.look();
        if (status == receive_status::timed_out) { continue; }
        if (status != receive_status::message) { break; }
        if (options.grep && !options.grep->matches(message.text())) { continue; }
        if (!limit.opens()) { continue; }
        if (out.write(message.payload) == write_status::closed) { return EXIT_SUCCESS; }
        ++shown;
    }
    const bool closed = out.flush() == write_status::closed;
    missed.look(true);
    if (closed || (options.count && shown == *options.count)) { return EXIT_SUCCESS; }
    if (stop_requested()) { return exit_code_for_signal(stop_signal()); }
    if (status != receive_status::truncated) { return EXIT_SUCCESS; }
    say("the stream is truncated: a producer died or gave up before its end");
    return exit_code_truncated;
}

int tap(const tap_options& options) {
    install_bus_error_handler(program_name, options.ring);
    install_stop_signals();
    ignore_broken_pipe();
    ringpipe::tap passing{ring::open(options.ring, after(1s)), options.from};
    return show(passing, options);
}

}  // namespace

command add_tap(CLI::App& app) {
    using command_line::add;
    auto* sub = app.add_subcommand("tap", "Shows what passes through a ring");
    auto options = std::make_shared<tap_options>();
    sub->add_option("RING", options->ring, "Its name, or the path of its file")
        ->required()
        ->type_name("");
    command_line::add_choice<start_at>(
        *sub, "--from", options->from,
        {{"latest", start_at::latest}, {"earliest", start_at::earliest}},
        "Begin with what comes now (the default), or with the oldest that is still there");
    add(
        *sub, "--framing", options->framing,
        [](const std::string& text) { return parse_framing(text); },
        "How messages are told apart in the output: as lines (the default), by NUL, by a 4-byte "
        "little-endian length before each, or not at all")
        ->type_name("lines|nul|length|fixed:N|chunks:N");
    add(*sub, "--rate", options->rate, parse_per_second,
        "Show at most N messages a second, and leave out the others")
        ->type_name("N/s");
    add(
        *sub, "--count", options->count, [](const std::string& text) { return parse_count(text); },
        "End after N shown messages")
        ->type_name("N");
    add(
        *sub, "--grep", options->grep, [](const std::string& text) { return pattern{text}; },
        "Show only messages with a match of this regular expression, as grep -E")
        ->type_name("REGEX");
    sub->footer(
        "As tail -f for a ring: it takes no message from anybody, holds nobody back, and is not\n"
        "seen by anybody. So it may miss messages, and says how many on standard error. It ends\n"
        "with the stream.\n"
        "\n"
        "Examples:\n"
        "  ringpipe tap jobs --count 5 --from earliest\n"
        "  ringpipe tap jobs --grep 'ERROR|WARN'\n"
        "  ringpipe tap jobs --rate 10/s       a sample of a fast stream\n"
        "\n"
        "Exit codes:\n"
        "  0   the stream has ended, or --count is reached, or nobody reads the output any "
        "longer\n"
        "  3   the stream is truncated: a producer died or gave up before its end");
    return {sub, [options] { return tap(*options); }};
}

}  // namespace ringpipe::pipeline
