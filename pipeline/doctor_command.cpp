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
#include "pipeline/doctor/pools.hpp"
#include "pipeline/doctor/rings.hpp"
#include "pipeline/doctor/spaces.hpp"
#include "pipeline/nap.hpp"
#include "pipeline/view/status_json.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

// Between two looks at the rings: what does nothing for so long may hang.
constexpr auto between_looks = 500ms;

struct doctor_options {
    std::vector<std::string> names;
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

findings examine(const std::vector<std::string>& names) {
    observer looking{names};
    const auto before = looking.look();
    if (!before.rings.empty() && !nap_until(after(between_looks))) { return {}; }
    findings all;
    const auto add = [&](findings some) {
        for (auto& one : some) { all.push_back(std::move(one)); }
    };
    const auto now = before.rings.empty() ? before : looking.look();
    for (const auto& ring : now.rings) {
        const auto old = std::find_if(before.rings.begin(), before.rings.end(),
                                      [&](const ring_seen& r) { return r.name == ring.name; });
        add(examine_ring(old == before.rings.end() ? ring : *old, ring));
    }
    for (const auto& space : now.spaces) { add(examine_space(space)); }
    for (const auto& pool : now.pools) { add(examine_pool(pool)); }
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
    for (auto& one : examine(options.names)) { all.push_back(std::move(one)); }
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
    auto* sub = app.add_subcommand(
        "doctor", "Looks for what is wrong with this machine, a ring, a space, a pool");
    auto options = std::make_shared<doctor_options>();
    sub->add_option("NAME", options->names, "Only these; all of /dev/shm by default")
        ->type_name("");
    sub->add_flag("--json", options->json, "As a JSON array");
    sub->footer(
        "Looks at /dev/shm, the kernel, limits, and at each ring: can every message be read, who "
        "is\n"
        "dead, stopped, or does nothing; what waits for nobody. At each space: who holds its "
        "locks\n"
        "and is stopped or dead, who is waited for in vain. At each pool: does its owner live, "
        "are\n"
        "its workers stopped. It changes nothing.\n"
        "\n"
        "Exit codes:\n"
        "  0   nothing is bad (there may be notices)\n"
        "  1   something is bad");
    return {sub, [options] { return examine(*options); }};
}

}  // namespace ringpipe::pipeline
