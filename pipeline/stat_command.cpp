#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "common/bus_error.hpp"
#include "common/command_line.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/nap.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/pool_text.hpp"
#include "pipeline/view/space_text.hpp"
#include "pipeline/view/status_json.hpp"
#include "pipeline/view/status_text.hpp"
#include "shm/ring.hpp"
#include "sync/space.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

struct stat_options {
    std::string name;
    bool space = false;
    bool pool = false;
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

void print(const nlohmann::ordered_json& json, bool on_one_line) {
    fmt::print("{}\n", on_one_line ? dump_on_one_line(json) : dump(json));
}

// Until it is removed, or somebody stops it, or nobody reads it. `look` gives what is there now, and
// `show` prints that and what was there before.
template <class Look, class Show>
int watch(const stat_options& options, Look look, Show show) {
    install_stop_signals();
    ignore_broken_pipe();
    auto before = look();
    auto then = clock::now();
    for (auto due = then + *options.watch; nap_until(due); due += *options.watch) {
        auto now = look();
        if (!now || !now->problem.empty()) {
            say("{}", now ? now->problem : "there is no " + in_quotes(options.name) + " any more");
            return EXIT_SUCCESS;
        }
        const auto at = clock::now();
        show(before ? *before : *now, then, *now, at);
        if (std::fflush(stdout) != 0) { return EXIT_SUCCESS; }
        before = std::move(now);
        then = at;
    }
    return exit_code_for_signal(stop_signal());
}

int stat_ring(const stat_options& options) {
    install_bus_error_handler("ringpipe", options.name);
    const auto status = ring::open(options.name, after(1s)).status();
    if (options.watch) {
        observer looking;
        return watch(
            options, [&] { return looking.look_at_ring(options.name); },
            [&](const ring_seen& before, auto then, const ring_seen& now, auto at) {
                const auto flow = flow_between({then, {before}}, {at, {now}}, now);
                if (options.json) {
                    print(to_json(now, flow), true);
                } else {
                    fmt::print("{}{}{}\n", to_text(now.status), to_text(now.bridges),
                               rates_of(now, flow));
                }
            });
    }
    process_reader processes;
    const auto bridges = bridges_of(status, processes);
    if (options.json) {
        auto all = to_json(status);
        all["bridges"] = nlohmann::ordered_json::array();
        for (const auto& each : bridges) { all["bridges"].push_back(to_json(each)); }
        print(all, false);
    } else {
        fmt::print("{}{}", to_text(status), to_text(bridges));
    }
    return EXIT_SUCCESS;
}

// What has no rates.
template <class Status, class Look, class Get>
int stat_once_or_often(const stat_options& options, const Status& status, Look look, Get get) {
    const auto show = [&](const Status& now) {
        if (options.json) {
            print(to_json(now), options.watch.has_value());
        } else {
            fmt::print("{}{}", to_text(now), options.watch ? "\n" : "");
        }
    };
    if (!options.watch) {
        show(status);
        return EXIT_SUCCESS;
    }
    return watch(options, look, [&](const auto&, auto, const auto& now, auto) { show(get(now)); });
}

int stat_space(const stat_options& options) {
    install_bus_error_handler("ringpipe", options.name);
    observer looking;
    return stat_once_or_often(
        options, sync::status_of_space(options.name),
        [&] { return looking.look_at_space(options.name); },
        [](const space_seen& now) { return now.status; });
}

int stat_pool(const stat_options& options) {
    observer looking;
    return stat_once_or_often(
        options, pool::outline_of(options.name), [&] { return looking.look_at_pool(options.name); },
        [](const pool_seen& now) { return now.outline; });
}

bool is_in(const std::vector<std::string>& names, const std::string& name) {
    return std::binary_search(names.begin(), names.end(), name);
}

// A ring, if there is one of that name; else a space; else a pool.
int stat(const stat_options& options) {
    const bool any = !options.space && !options.pool;
    const bool no_ring = any && !is_in(ring::list(), options.name);
    if (options.space || (no_ring && is_in(sync::space::list(), options.name))) {
        return stat_space(options);
    }
    if (options.pool || (no_ring && is_in(pool::list_pools(), options.name))) {
        return stat_pool(options);
    }
    return stat_ring(options);
}

}  // namespace

command add_stat(CLI::App& app) {
    auto* sub =
        app.add_subcommand("stat", "Shows a ring, a space or a pool: who is at it, and how far");
    auto options = std::make_shared<stat_options>();
    sub->add_option("NAME", options->name, "A ring's name, or the path of its file; see below")
        ->required()
        ->type_name("");
    auto* space = sub->add_flag("--space", options->space, "The space of locks of that name");
    sub->add_flag("--pool", options->pool, "The pool of workers of that name")->excludes(space);
    sub->add_flag("--json", options->json, "As a JSON object");
    command_line::add(*sub, "--watch", options->watch, parse_interval,
                      "Again every so often, with what flows; with --json an object per line")
        ->type_name("TIME")
        ->expected(0, 1)
        ->default_str("1s");
    sub->footer(
        "Without --space or --pool it is the ring of that name, or if there is none, the space, "
        "or\n"
        "the pool. Who looks takes no part.\n"
        "\n"
        "Examples:\n"
        "  ringpipe stat shop --space        who holds its locks, who waits at its barriers\n"
        "  ringpipe stat jobs --json | jq .groups[0].lag_messages\n"
        "  ringpipe stat jobs --json --watch 10s | jq .messages_per_second");
    return {sub, [options] { return stat(*options); }};
}

}  // namespace ringpipe::pipeline
