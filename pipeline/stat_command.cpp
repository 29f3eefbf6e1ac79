#include <fmt/core.h>

#include <memory>

#include "common/bus_error.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/status_json.hpp"
#include "pipeline/status_text.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

struct stat_options {
    std::string ring;
    bool json = false;
};

int stat(const stat_options& options) {
    install_bus_error_handler("ringpipe", options.ring);
    const auto status = ring::open(options.ring, after(1s)).status();
    if (options.json) {
        fmt::print("{}\n", dump(to_json(status)));
    } else {
        fmt::print("{}", to_text(status));
    }
    return 0;
}

}  // namespace

command add_stat(CLI::App& app) {
    auto* sub = app.add_subcommand("stat", "Shows a ring: who is at it, and how far");
    auto options = std::make_shared<stat_options>();
    sub->add_option("RING", options->ring, "Its name, or the path of its file")
        ->required()
        ->type_name("");
    sub->add_flag("--json", options->json, "As a JSON object");
    sub->footer("Example:\n  ringpipe stat jobs --json | jq .groups[0].lag_messages");
    return {sub, [options] { return stat(*options); }};
}

}  // namespace ringpipe::pipeline
