#include <fmt/core.h>

#include <memory>

#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/observation.hpp"
#include "pipeline/view/pool_text.hpp"
#include "pipeline/view/space_text.hpp"
#include "pipeline/view/status_json.hpp"
#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {
namespace {

// What could not be looked at is in it, too, with the reason.
template <class Seen, class Status>
void add(nlohmann::ordered_json& to, const char* kind, const std::vector<Seen>& all,
         Status Seen::*status) {
    for (const auto& one : all) {
        if (one.problem.empty()) {
            to.push_back(to_json(one.*status));
        } else {
            to.push_back({{"kind", kind}, {"name", one.name}, {"error", one.problem}});
        }
    }
}

void print_json(const observation& all) {
    auto out = nlohmann::ordered_json::array();
    add(out, "ring", all.rings, &ring_seen::status);
    add(out, "space", all.spaces, &space_seen::status);
    add(out, "pool", all.pools, &pool_seen::outline);
    fmt::print("{}\n", dump(out));
}

std::string names_of(const std::vector<group_status>& groups) {
    std::string names;
    for (const auto& group : groups) {
        names += (names.empty() ? "" : ",") + printable(group.name);
    }
    return names.empty() ? "-" : names;
}

// One kind of things, a line each; what is wrong with some of them goes to `problems`.
template <class Seen, class Cells>
std::string table_of(const row& heads, const std::vector<std::size_t>& right,
                     const std::vector<Seen>& all, std::string& problems, Cells cells) {
    if (all.empty()) { return ""; }
    std::vector<row> rows{heads};
    for (const auto& one : all) {
        if (one.problem.empty()) {
            rows.push_back(cells(one));
            continue;
        }
        rows.emplace_back(heads.size(), "-");
        rows.back()[0] = printable(one.name);
        rows.back()[1] = "unusable";
        problems += printable(one.problem) + "\n";
    }
    return table(rows, right);
}

std::string rings_of(const observation& all, std::string& problems) {
    return table_of(
        {"NAME", "STATE", "CAPACITY", "USED", "MESSAGES", "PRODUCERS", "CONSUMERS", "GROUPS"},
        {2, 3, 4, 5, 6}, all.rings, problems, [](const ring_seen& one) -> row {
            const auto& status = one.status;
            return {printable(one.name),
                    std::string{state_of(status)},
                    format_bytes(status.capacity),
                    format_bytes(status.used_bytes),
                    format_count(status.messages),
                    format_count(status.producers),
                    format_count(status.consumers),
                    names_of(status.groups)};
        });
}

// Of its names: those that somebody has to do with, and those that want attention.
std::string spaces_of(const observation& all, std::string& problems) {
    return table_of({"SPACE", "STATE", "PROCESSES", "NAMES", "IN USE", "USED", "OF"},
                    {2, 3, 4, 5, 6}, all.spaces, problems, [](const space_seen& one) -> row {
                        std::size_t used = 0;
                        bool attention = false;
                        for (const auto& each : one.status.primitives) {
                            used += each.participants.empty() ? 0U : 1U;
                            attention = attention || wants_attention(each);
                        }
                        return {printable(one.name),
                                attention                    ? "attention"
                                : one.status.members.empty() ? "unused"
                                                             : "open",
                                format_count(one.status.members.size()),
                                format_count(one.status.primitives.size()),
                                format_count(used),
                                format_bytes(one.status.used),
                                format_bytes(one.status.size)};
                    });
}

std::string pools_of(const observation& all, std::string& problems) {
    return table_of({"POOL", "STATE", "OWNER", "WORKERS", "WAITING", "RUNNING", "DONE", "FAILED"},
                    {2, 3, 4, 5, 6, 7}, all.pools, problems, [](const pool_seen& one) -> row {
                        const auto& status = one.outline.status;
                        return {
                            printable(one.name),
                            std::string{state_of(one.outline)},
                            std::to_string(one.outline.owner_pid),
                            fmt::format("{}/{}", status.workers.size(), one.outline.max_workers),
                            format_count(status.waiting),
                            format_count(status.running),
                            format_count(status.done),
                            format_count(status.failed)};
                    });
}

void print_tables(const observation& all) {
    std::string problems;
    std::string out;
    for (const auto& part :
         {rings_of(all, problems), spaces_of(all, problems), pools_of(all, problems)}) {
        out += (out.empty() || part.empty() ? "" : "\n") + part;
    }
    if (out.empty()) {
        say("there are no rings, spaces or pools in /dev/shm; ringpipe demo makes a ring");
        return;
    }
    fmt::print("{}", out);
    if (!problems.empty()) { fmt::print("\n{}", problems); }
}

}  // namespace

command add_ls(CLI::App& app) {
    auto* sub = app.add_subcommand("ls", "Lists the rings, spaces and pools in /dev/shm");
    auto json = std::make_shared<bool>(false);
    sub->add_flag("--json", *json,
                  "As a JSON array, with the keys of ringpipe stat --json but for bridges");
    sub->footer(
        "After the rings: spaces of locks and the like (sync/), and pools of worker processes.\n"
        "What cannot be opened is listed as unusable, with the reason below the tables.\n"
        "Rings in files of your own (names with a '/') are not listed: see ringpipe stat PATH.");
    return {sub, [json] {
                const auto all = observer{}.look();
                *json ? print_json(all) : print_tables(all);
                return 0;
            }};
}

}  // namespace ringpipe::pipeline
