#include <fmt/core.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "common/bus_error.hpp"
#include "common/command_line.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/nap.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/status_json.hpp"
#include "pipeline/view/status_text.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

struct stat_options {
    std::string ring;
    bool json = false;
    std::optional<std::chrono::nanoseconds> watch;
};

std::chrono::nanoseconds parse_interval(const std::string& text) {
    const auto every = parse_duration(text);
    if (every < 10ms) { throw error{errc::invalid_argument, in_quotes(text) + " is below 10ms"}; }
    return every;
}

std::string rates_of(const ring_seen& ring, const ring_flow& flow) {
    auto text = fmt::format("in          {}, {}\n", format_rate(flow.messages, "msg"),
                            format_rate(flow.bytes, "B"));
    for (std::size_t i = 0; i < flow.groups.size(); ++i) {
        text += fmt::format(
            "out         {}, {}  {}{}\n", format_rate(flow.groups[i].messages, "msg"),
            format_rate(flow.groups[i].bytes, "B"), printable(ring.status.groups[i].name),
            flow.groups[i].bottleneck ? "  BOTTLENECK" : "");
    }
    return text;
}

// Until the ring is removed, or somebody stops it, or nobody reads it.
int watch(const stat_options& options) {
    install_stop_signals();
    ignore_broken_pipe();
    observer looking{{options.ring}};
    auto before = looking.look();
    for (auto due = clock::now() + *options.watch; nap_until(due); due += *options.watch) {
        auto now = looking.look();
        const auto& ring = now.rings.front();
        if (!ring.problem.empty()) {
            say("{}", ring.problem);
            return EXIT_SUCCESS;
        }
        const auto flow = flow_between(before, now, ring);
        if (options.json) {
            fmt::print("{}\n", dump_on_one_line(to_json(ring, flow)));
        } else {
            fmt::print("{}{}{}\n", to_text(ring.status), to_text(ring.bridges),
                       rates_of(ring, flow));
        }
        if (std::fflush(stdout) != 0) { return EXIT_SUCCESS; }
        before = std::move(now);
    }
    return exit_code_for_signal(stop_signal());
}

int stat(const stat_options& options) {
    install_bus_error_handler("ringpipe", options.ring);
    const auto status = ring::open(options.ring, after(1s)).status();
    if (options.watch) { return watch(options); }
    process_reader processes;
    const auto bridges = bridges_of(status, processes);
    if (options.json) {
        auto all = to_json(status);
        all["bridges"] = nlohmann::ordered_json::array();
        for (const auto& each : bridges) { all["bridges"].push_back(to_json(each)); }
        fmt::print("{}\n", dump(all));
    } else {
        fmt::print("{}{}", to_text(status), to_text(bridges));
    }
    return EXIT_SUCCESS;
}

}  // namespace

command add_stat(CLI::App& app) {
    auto* sub = app.add_subcommand("stat", "Shows a ring: who is at it, and how far");
    auto options = std::make_shared<stat_options>();
    sub->add_option("RING", options->ring, "Its name, or the path of its file")
        ->required()
        ->type_name("");
    sub->add_flag("--json", options->json, "As a JSON object");
    command_line::add(*sub, "--watch", options->watch, parse_interval,
                      "Again every so often, with what flows; with --json an object per line")
        ->type_name("TIME")
        ->expected(0, 1)
        ->default_str("1s");
    sub->footer(
        "Examples:\n"
        "  ringpipe stat jobs --json | jq .groups[0].lag_messages\n"
        "  ringpipe stat jobs --json --watch 10s | jq .messages_per_second");
    return {sub, [options] { return stat(*options); }};
}

}  // namespace ringpipe::pipeline
