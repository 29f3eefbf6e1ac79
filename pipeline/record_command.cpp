#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "common/bus_error.hpp"
#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/open_file.hpp"
#include "common/progress.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/recording.hpp"
#include "pipeline/say.hpp"
#include "shm/consumer.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 100ms;  // how long a signal may go unnoticed

struct record_options {
    std::string ring;
    std::string file;
    start_at from = start_at::earliest;
    std::optional<std::uint64_t> count;
    bool force = false;
};

// A recording cannot be made again.
void refuse_to_replace(const std::string& file) {
    struct stat about {};
    if (file != "-" && ::stat(file.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
        about.st_size != 0) {
        throw error{errc::invalid_argument, "there is something in " + in_quotes(file) +
                                                " already; record to another file, or use --force"};
    }
}

consumer_options member(const record_options& options) {
    consumer_options how;
    how.group = fmt::format("record {}", ::getpid());
    how.kind = group_kind::ephemeral;
    how.from = options.from;
    how.name = "ringpipe record";
    how.max_attempts = 0;
    return how;
}

// Acknowledged when it is in the file.
int write_all(consumer& in, recording_writer& out, const record_options& options,
              progress_meter& meter) {
    std::uint64_t unwritten = 0;  // the end of what is in the writer only; 0: nothing
    const auto put_down = [&] {
        if (out.flush() == write_status::closed) { return false; }
        if (unwritten != 0) { in.acknowledge_to(std::exchange(unwritten, 0)); }
        return true;
    };
    while (!stop_requested() && (!options.count || meter.messages() < *options.count)) {
        if (!in.at_hand() && !put_down()) { return EXIT_SUCCESS; }
        const auto message = in.receive_for(tick);
        if (message.status() == receive_status::timed_out) {
            meter.look();
            continue;
        }
        if (!message) {
            return message.status() == receive_status::end ? EXIT_SUCCESS : exit_code_truncated;
        }
        if (out.write(message.payload()) == write_status::closed) { return EXIT_SUCCESS; }
        unwritten = message.end();
        meter.add(1, message.payload().size());
    }
    (void)put_down();
    return stop_requested() ? exit_code_for_signal(stop_signal()) : EXIT_SUCCESS;
}

int record(const record_options& options) {
    install_bus_error_handler("ringpipe", options.ring);
    install_stop_signals();
    ignore_broken_pipe();
    const auto where = ring::open(options.ring, after(1s));
    if (!options.force) { refuse_to_replace(options.file); }
    auto file = open_output(options.file);
    progress_meter meter{"recording"};
    consumer in{where, member(options)};
    recording_writer out{file.get(), output_name(options.file)};
    const int code = write_all(in, out, options, meter);
    meter.finish();
    (void)out.flush();
    close_output(std::move(file), options.file);
    say("{} messages, {}, in {}{}", format_count(meter.messages()), format_bytes(meter.bytes()),
        format_duration(meter.elapsed()),
        code == exit_code_truncated ? "; the stream is truncated" : "");
    return code;
}

}  // namespace

command add_record(CLI::App& app) {
    auto* sub = app.add_subcommand("record", "Keeps a stream in a file, with its times");
    auto options = std::make_shared<record_options>();
    sub->add_option("RING", options->ring, "Its name, or the path of its file")
        ->required()
        ->type_name("");
    sub->add_option("FILE", options->file, "Where to; '-' is standard output")
        ->required()
        ->type_name("");
    command_line::add_choice<start_at>(
        *sub, "--from", options->from,
        {{"earliest", start_at::earliest}, {"latest", start_at::latest}},
        "Begin with the oldest that is still there (the default), or with what comes now");
    command_line::add(
        *sub, "--count", options->count, [](const std::string& text) { return parse_count(text); },
        "End after N messages")
        ->type_name("N");
    sub->add_flag("--force", options->force, "Replace what is in FILE");
    sub->footer(
        "It joins as a group of its own, which sees every message and ends with it: producers "
        "wait\n"
        "for it as for any other group, so that nothing is missed. To look without holding "
        "anybody\n"
        "back: ringpipe tap.\n"
        "\n"
        "Example:\n"
        "  ringpipe record jobs jobs.rec      until the stream ends, or Ctrl-C\n"
        "  ringpipe replay jobs.rec again     at the speed at which it came");
    return {sub, [options] { return record(*options); }};
}

}  // namespace ringpipe::pipeline
