#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "common/bus_error.hpp"
#include "common/shutdown.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/doctor/machine.hpp"
#include "pipeline/doctor/rings.hpp"
#include "pipeline/nap.hpp"
#include "pipeline/view/status_json.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

// Between two looks at the rings: what does nothing for so long may hang.
constexpr auto between_looks = 500ms;

struct doctor_options {
    std::vector<std::string> rings;
    bool json = false;
};

std::string_view word_for(severity how) {
    switch (how) {
        case severity::good: return "good";
        case severity::notice: return "notice";
        case severity::bad: return "bad";
    }
    return "";
}

findings examine_rings(const std::vector<std::string>& names) {
    observer looking{names};
    const auto before = looking.look();
    if (before.rings.empty() || !nap_until(after(between_looks))) { return {}; }
    findings all;
    for (const auto& now : looking.look().rings) {
        const auto old = std::find_if(before.rings.begin(), before.rings.end(),
                                      [&](const ring_seen& r) { return r.name == now.name; });
        for (auto& one : examine_ring(old == before.rings.end() ? now : *old, now)) {
            all.push_back(std::move(one));
        }
    }
    return all;
}

void print_json(const findings& all) {
    auto out = nlohmann::ordered_json::array();
    for (const auto& one : all) {
        out.push_back({{"severity", word_for(one.how)},
                       {"about", one.about},
                       {"what", one.what},
                       {"advice", one.advice}});
    }
    fmt::print("{}\n", dump(out));
}

int examine(const doctor_options& options) {
    install_bus_error_handler("ringpipe");
    install_stop_signals();
    auto all = examine_machine();
    for (auto& one : examine_rings(options.rings)) { all.push_back(std::move(one)); }
    if (options.json) {
        print_json(all);
    } else {
        for (const auto& one : all) {
            fmt::print("{:<6}  {}: {}\n", word_for(one.how), one.about, one.what);
            if (!one.advice.empty()) { fmt::print("        -> {}\n", one.advice); }
        }
    }
    const bool bad = std::any_of(all.begin(), all.end(),
                                 [](const finding& one) { return one.how == severity::bad; });
    return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

command add_doctor(CLI::App& app) {
    auto* sub = app.add_subcommand("doctor", "Looks for what is wrong with this machine or a ring");
    auto options = std::make_shared<doctor_options>();
    sub->add_option("RING", options->rings, "Only these; all of /dev/shm by default")
        ->type_name("");
    sub->add_flag("--json", options->json, "As a JSON array");
    sub->footer(
        "Looks at /dev/shm, the kernel, limits, and at each ring: can every message be read, who "
        "is\n"
        "dead, stopped, or does nothing; what waits for nobody. It changes nothing.\n"
        "\n"
        "Exit codes:\n"
        "  0   nothing is bad (there may be notices)\n"
        "  1   something is bad");
    return {sub, [options] { return examine(*options); }};
}

}  // namespace ringpipe::pipeline
