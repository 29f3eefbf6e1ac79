#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "common/bus_error.hpp"
#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/open_file.hpp"
#include "common/progress.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/nap.hpp"
#include "pipeline/recording.hpp"
#include "pipeline/say.hpp"
#include "shm/producer.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 100ms;  // how long a signal may go unnoticed

struct replay_options {
    std::string file;
    std::string ring;
    double speed = 1;  // 0: as fast as it goes
    ring_options creation;
};

// "2", "2x", "0.5", "max".
double parse_speed(std::string text) {
    if (text == "max") { return 0; }
    if (text.ends_with('x')) { text.pop_back(); }
    char* end = nullptr;
    const double speed = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != 0 || !std::isfinite(speed) || speed < 0.001) {
        throw error{errc::invalid_argument,
                    in_quotes(text) + " is no speed; write 2x, 0.5, or max"};
    }
    return speed;
}

clock::time_point due_at(clock::time_point start, std::chrono::nanoseconds after, double speed) {
    if (speed == 0) { return start; }
    return start + std::chrono::duration_cast<clock::duration>(
                       std::chrono::duration<double, std::nano>(after) / speed);
}

void send_all(recording_reader& from, producer& out, double speed, progress_meter& meter) {
    const auto start = clock::now();
    while (const auto next = from.next()) {
        if (!nap_until(due_at(start, next->at, speed))) { return; }
        while (!out.send_for(next->payload, tick)) {
            meter.look();
            if (stop_requested()) { return; }
        }
        meter.add(1, next->payload.size());
    }
}

int replay(const replay_options& options) {
    install_bus_error_handler("ringpipe", options.ring);
    install_stop_signals();
    const auto file = open_input(options.file);
    const auto to = ring::open_or_create(options.ring, options.creation);
    recording_reader from{file.get(), input_name(options.file),
                          static_cast<std::size_t>(to.max_message_size())};
    producer_options how;
    how.name = "ringpipe replay";
    producer out{to, how};
    progress_meter meter{"replaying"};
    send_all(from, out, options.speed, meter);
    meter.finish();
    if (stop_requested()) {
        out.abandon();  // it is not whole
        return exit_code_for_signal(stop_signal());
    }
    out.close();
    say("{} messages, {}, in {}", format_count(meter.messages()), format_bytes(meter.bytes()),
        format_duration(meter.elapsed()));
    return EXIT_SUCCESS;
}

}  // namespace

command add_replay(CLI::App& app) {
    auto* sub = app.add_subcommand("replay", "Sends what ringpipe record has kept");
    auto options = std::make_shared<replay_options>();
    sub->add_option("FILE", options->file, "The recording; '-' is standard input")
        ->required()
        ->type_name("");
    sub->add_option("RING", options->ring, "Its name, or the path of its file; made if need be")
        ->required()
        ->type_name("");
    command_line::add(*sub, "--speed", options->speed, parse_speed,
                      "So many times as fast as it came, or max: as fast as it goes (1x)")
        ->type_name("X");
    command_line::add(
        *sub, "--capacity", options->creation.capacity,
        [](const std::string& text) { return parse_size(text); }, "Of a ring that is made (16MiB)")
        ->type_name("SIZE");
    sub->footer(
        "Example:\n"
        "  ringpipe replay jobs.rec again --speed 10x\n"
        "Stopped before its end, or with a damaged file, it leaves the stream truncated.");
    return {sub, [options] { return replay(*options); }};
}

}  // namespace ringpipe::pipeline
