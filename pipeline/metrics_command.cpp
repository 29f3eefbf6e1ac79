#include <fmt/format.h>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "common/command_line.hpp"
#include "common/shutdown.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/nap.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/exposition.hpp"

namespace ringpipe::pipeline {
namespace {

struct metrics_options {
    std::string listen;
};

std::unique_ptr<prometheus::Exposer> listen_at(const std::string& address) {
    try {
        return std::make_unique<prometheus::Exposer>(address, 1);
    } catch (const std::exception& e) {
        throw error{errc::io, "cannot serve metrics at " + in_quotes(address) +
                                  "; is the port taken, and is it HOST:PORT? (" + e.what() + ")"};
    }
}

int metrics(const metrics_options& options) {
    const auto all = std::make_shared<exposition>();
    if (options.listen.empty()) {
        fmt::print("{}", prometheus::TextSerializer{}.Serialize(all->Collect()));
        return EXIT_SUCCESS;
    }
    install_stop_signals();
    ignore_broken_pipe();
    const auto server = listen_at(options.listen);
    server->RegisterCollectable(all);
    // Port 0 is any that is free.
    const auto host = options.listen.substr(0, options.listen.rfind(':') + 1);
    const auto ports = server->GetListeningPorts();
    say("metrics at http://{}{}/metrics, until Ctrl-C", host.empty() ? "localhost:" : host,
        ports.empty() ? 0 : ports.front());
    while (nap_until(after(std::chrono::hours{1}))) {}
    return exit_code_for_signal(stop_signal());
}

}  // namespace

command add_metrics(CLI::App& app) {
    auto* sub =
        app.add_subcommand("metrics", "Shows or serves all rings, spaces and pools to Prometheus");
    auto options = std::make_shared<metrics_options>();
    sub->add_option("--listen", options->listen,
                    "Serve them at http://HOST:PORT/metrics; without it they are printed once")
        ->type_name("HOST:PORT");
    sub->footer(
        "Examples:\n"
        "  ringpipe metrics --listen 127.0.0.1:9464\n"
        "  ringpipe metrics > /var/lib/node_exporter/ringpipe.prom\n"
        "Rings are looked at when somebody asks. docs/grafana.json is a dashboard for them.");
    return {sub, [options] { return metrics(*options); }};
}

}  // namespace ringpipe::pipeline
