#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/observation.hpp"
#include "pipeline/view/status_text.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

struct gc_options {
    std::chrono::nanoseconds older_than = 24h;
    bool unread = false;
    bool dry_run = false;
};

bool has_unread(const ring_status& status) {
    // Without any group all that was sent waits for the first one.
    if (status.groups.empty()) { return status.used_bytes != 0; }
    return std::any_of(status.groups.begin(), status.groups.end(),
                       [](const group_status& group) { return group.lag_bytes != 0; });
}

// Why it stays; empty if it may go.
std::string reason_to_keep(const ring_seen& one, const gc_options& options) {
    if (!one.problem.empty()) { return one.problem; }
    const auto alive = std::count_if(one.status.members.begin(), one.status.members.end(),
                                     [](const member_status& member) { return member.alive; });
    if (alive != 0) { return fmt::format("{} of its members live", alive); }
    const auto unused = std::chrono::system_clock::now() - one.status.last_used;
    if (unused < options.older_than) {
        return fmt::format("used {} ago",
                           format_duration(std::chrono::duration_cast<std::chrono::seconds>(
                               std::max(unused, decltype(unused){0}))));
    }
    if (!options.unread && has_unread(one.status)) {
        return "it has unread messages; --unread removes it all the same";
    }
    return "";
}

int collect(const gc_options& options) {
    unsigned failed = 0;
    for (const auto& one : observer{}.look().rings) {
        const auto name = printable(one.name);
        if (const auto why = reason_to_keep(one, options); !why.empty()) {
            fmt::print("kept     {}: {}\n", name, why);
            continue;
        }
        try {
            if (!options.dry_run && !ring::remove(one.name)) { continue; }
            fmt::print("{}  {} ({})\n", options.dry_run ? "would go" : "removed ", name,
                       format_bytes(one.status.capacity));
        } catch (const error& e) {
            say("{}", e.what());
            ++failed;
        }
    }
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

command add_gc(CLI::App& app) {
    auto* sub = app.add_subcommand("gc", "Removes rings that nobody uses any more");
    auto options = std::make_shared<gc_options>();
    command_line::add(
        *sub, "--older-than", options->older_than,
        [](const std::string& text) { return parse_duration(text); },
        "Only rings that nobody has joined or left for so long (24h)")
        ->type_name("TIME");
    sub->add_flag("--unread", options->unread, "Also rings with messages that nobody has read");
    sub->add_flag("--dry-run", options->dry_run, "Only say what would be done");
    sub->footer(
        "A ring with a living member, or one that cannot be read, always stays: ringpipe rm.\n"
        "Dead letters that wait are unread messages of the ring RING.dead.");
    return {sub, [options] { return collect(*options); }};
}

}  // namespace ringpipe::pipeline
