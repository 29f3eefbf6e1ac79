#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/command_line.hpp"
#include "common/error.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/observation.hpp"
#include "pipeline/view/status_text.hpp"
#include "pool/abandoned.hpp"
#include "pool/rings.hpp"
#include "shm/ring.hpp"
#include "sync/space.hpp"

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

std::string too_young(std::chrono::system_clock::time_point last_used, const gc_options& options) {
    const auto unused = std::chrono::system_clock::now() - last_used;
    if (unused >= options.older_than) { return ""; }
    return fmt::format("used {} ago",
                       format_duration(std::chrono::duration_cast<std::chrono::seconds>(
                           std::max(unused, decltype(unused){0}))));
}

// Why it stays; empty if it may go.
std::string reason_to_keep(const ring_seen& one, const gc_options& options) {
    if (!one.problem.empty()) { return one.problem; }
    const auto alive = std::count_if(one.status.members.begin(), one.status.members.end(),
                                     [](const member_status& member) { return member.alive; });
    if (alive != 0) { return fmt::format("{} of its members live", alive); }
    if (auto young = too_young(one.status.last_used, options); !young.empty()) { return young; }
    if (!options.unread && has_unread(one.status)) {
        return "it has unread messages; --unread removes it all the same";
    }
    return "";
}

std::string reason_to_keep(const space_seen& one, const gc_options& options) {
    if (!one.problem.empty()) { return one.problem; }
    if (const auto alive = one.status.members.size(); alive != 0) {
        return fmt::format("{} process{} {} it open", alive, alive == 1 ? "" : "es",
                           alive == 1 ? "has" : "have");
    }
    return too_young(one.status.last_used, options);
}

// What a killed owner left is nobody's at once: the next pool would remove it, too.
std::string reason_to_keep(const pool_seen& one, const gc_options&) {
    if (!one.problem.empty()) { return one.problem; }
    return one.outline.alive ? fmt::format("its owner, process {}, lives", one.outline.owner_pid)
                             : "";
}

class collector {
  public:
    explicit collector(const gc_options& options) : options_{options} {}

    // `remove` says whether it was there.
    template <class Seen, class Remove>
    void look_at(const std::vector<Seen>& all, std::string_view noun, Remove remove) {
        for (const auto& one : all) {
            const auto name = std::string{noun} + printable(one.name);
            if (const auto why = reason_to_keep(one, options_); !why.empty()) {
                fmt::print("kept     {}: {}\n", name, why);
                continue;
            }
            try {
                if (!options_.dry_run && !remove(one.name)) { continue; }
                fmt::print("{}  {} ({})\n", options_.dry_run ? "would go" : "removed ", name,
                           remark(one));
            } catch (const error& e) {
                say("{}", e.what());
                ++failed_;
            }
        }
    }
    [[nodiscard]] bool failed() const { return failed_ != 0; }

  private:
    static std::string remark(const ring_seen& one) { return format_bytes(one.status.capacity); }
    static std::string remark(const space_seen& one) { return format_bytes(one.status.size); }
    static std::string remark(const pool_seen&) { return "its owner was killed"; }

    const gc_options& options_;
    unsigned failed_ = 0;
};

int collect(const gc_options& options) {
    auto all = observer{}.look();
    collector gc{options};
    // With an abandoned pool its rings go, whatever is in them.
    std::erase_if(all.rings, [&](const ring_seen& ring) {
        return std::any_of(all.pools.begin(), all.pools.end(), [&](const pool_seen& one) {
            return reason_to_keep(one, options).empty() &&
                   (ring.name == pool::requests_of(one.name) ||
                    ring.name == pool::replies_of(one.name));
        });
    });
    gc.look_at(all.pools, "pool ",
               [](const std::string& name) { return pool::remove_abandoned(name); });
    gc.look_at(all.rings, "", [](const std::string& name) { return ring::remove(name); });
    // Asked again: somebody may have come since.
    gc.look_at(all.spaces, "space ", [](const std::string& name) {
        return !sync::space::in_use(name) && sync::space::remove(name);
    });
    return gc.failed() ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

command add_gc(CLI::App& app) {
    auto* sub =
        app.add_subcommand("gc", "Removes rings, spaces and pools that nobody uses any more");
    auto options = std::make_shared<gc_options>();
    command_line::add(
        *sub, "--older-than", options->older_than,
        [](const std::string& text) { return parse_duration(text); },
        "Only rings and spaces that nobody has joined or left for so long (24h)")
        ->type_name("TIME");
    sub->add_flag("--unread", options->unread, "Also rings with messages that nobody has read");
    sub->add_flag("--dry-run", options->dry_run, "Only say what would be done");
    sub->footer(
        "What a living process has open, or what cannot be read, always stays: ringpipe rm.\n"
        "A pool goes, with its rings, as soon as its owner was killed.\n"
        "Dead letters that wait are unread messages of the ring RING.dead.");
    return {sub, [options] { return collect(*options); }};
}

}  // namespace ringpipe::pipeline
