#include <fmt/core.h>

#include <memory>

#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/observation.hpp"
#include "pipeline/view/status_json.hpp"
#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {
namespace {

void print_json(const std::vector<ring_seen>& rings) {
    auto out = nlohmann::ordered_json::array();
    for (const auto& one : rings) {
        if (one.problem.empty()) {
            out.push_back(to_json(one.status));
        } else {
            out.push_back({{"name", one.name}, {"error", one.problem}});
        }
    }
    fmt::print("{}\n", dump(out));
}

std::string names_of(const std::vector<group_status>& groups) {
    std::string names;
    for (const auto& group : groups) {
        names += (names.empty() ? "" : ",") + printable(group.name);
    }
    return names.empty() ? "-" : names;
}

void print_table(const std::vector<ring_seen>& rings) {
    std::vector<row> rows{
        {"NAME", "STATE", "CAPACITY", "USED", "MESSAGES", "PRODUCERS", "CONSUMERS", "GROUPS"}};
    std::string problems;
    for (const auto& one : rings) {
        const auto& name = one.name;
        const auto& status = one.status;
        if (!one.problem.empty()) {
            rows.push_back({printable(name), "unusable", "-", "-", "-", "-", "-", "-"});
            problems += printable(one.problem) + "\n";
            continue;
        }
        rows.push_back({printable(name), std::string{state_of(status)},
                        format_bytes(status.capacity), format_bytes(status.used_bytes),
                        format_count(status.messages), format_count(status.producers),
                        format_count(status.consumers), names_of(status.groups)});
    }
    if (rows.size() == 1) {
        say("there are no rings in /dev/shm; ringpipe demo makes one");
        return;
    }
    fmt::print("{}", table(rows, {2, 3, 4, 5, 6}));
    if (!problems.empty()) { fmt::print("\n{}", problems); }
}

}  // namespace

command add_ls(CLI::App& app) {
    auto* sub = app.add_subcommand("ls", "Lists the rings in /dev/shm");
    auto json = std::make_shared<bool>(false);
    sub->add_flag("--json", *json, "As a JSON array, with the keys of ringpipe stat --json");
    sub->footer(
        "A ring that cannot be opened is listed as unusable, with the reason below the table.\n"
        "Rings in files of your own (names with a '/') are not listed: see ringpipe stat PATH.");
    return {sub, [json] {
                const auto rings = observer{}.look().rings;
                *json ? print_json(rings) : print_table(rings);
                return 0;
            }};
}

}  // namespace ringpipe::pipeline
