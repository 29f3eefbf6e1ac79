#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/error.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/dead_letters.hpp"
#include "pipeline/say.hpp"
#include "pool/abandoned.hpp"
#include "pool/status.hpp"
#include "shm/dead_letter.hpp"
#include "shm/ring.hpp"
#include "sync/space.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

struct rm_options {
    std::vector<std::string> names;
    std::string group;
    bool space = false;
    bool pool = false;
    bool force = false;
};

// What nobody can open can have no members; ring::remove() looks whether it is a ring at all.
bool unusable(errc why) {
    switch (why) {
        case errc::unfinished:
        case errc::corrupt:
        case errc::truncated_segment:
        case errc::wrong_version:
        case errc::not_a_ring: return true;
        default: return false;
    }
}

std::uint32_t living_members(const std::string& name) {
    try {
        const auto status = ring::open(name, after(100ms)).status();
        std::uint32_t alive = 0;
        for (const auto& member : status.members) { alive += member.alive ? 1U : 0U; }
        return alive;
    } catch (const error& e) {
        if (unusable(e.which()) || e.which() == errc::ring_not_found) { return 0; }
        throw;
    }
}

// What else has the name of a ring that is not there.
std::string hint_for(const std::string& name) {
    const auto is_in = [&](const std::vector<std::string>& names) {
        return std::binary_search(names.begin(), names.end(), name);
    };
    if (is_in(sync::space::list())) { return ", but a space: ringpipe rm --space " + name; }
    if (is_in(pool::list_pools())) { return ", but a pool: ringpipe rm --pool " + name; }
    return "; see ringpipe ls";
}

void remove_ring(const std::string& name, bool force) {
    if (!force) {
        if (const auto alive = living_members(name); alive > 0) {
            throw error{errc::group_in_use, fmt::format("cannot remove ring {}: {} of its members "
                                                        "{} alive; end {} first, or use --force",
                                                        name, alive, alive == 1 ? "is" : "are",
                                                        alive == 1 ? "it" : "them")};
        }
    }
    if (!ring::remove(name)) {
        throw error{errc::ring_not_found,
                    fmt::format("cannot remove ring {}: there is none{}", name, hint_for(name))};
    }
}

void remove_space(const std::string& name, bool force) {
    if (!force && sync::space::in_use(name)) {
        throw error{errc::group_in_use,
                    fmt::format("cannot remove space {}: there are processes that have it open "
                                "(ringpipe stat --space {}); end them first, or use --force",
                                name, name)};
    }
    if (!sync::space::remove(name)) {
        throw error{errc::ring_not_found,
                    fmt::format("cannot remove space {}: there is none; see ringpipe ls", name)};
    }
}

void remove_pool(const std::string& name) {
    if (!pool::remove_abandoned(name)) {
        throw error{errc::ring_not_found,
                    fmt::format("cannot remove pool {}: there is none; see ringpipe ls", name)};
    }
}

// They outlive their ring; a dead-letter ring without any goes with it.
void look_after_dead_letters(const std::string& name) {
    try {
        const auto letters = dead_letters::of(name);
        if (!letters) { return; }
        const auto where = dead_letter_ring_of(name);
        const auto count = letters->count();
        if (count == 0 && living_members(where) == 0) {
            ring::remove(where);
        } else {
            say("the dead letters of ring {} stay ({}): ringpipe dead {} lists them, ringpipe rm "
                "{} removes them",
                name, count, name, where);
        }
    } catch (const error& e) { say("{}", e.what()); }  // the ring itself is removed
}

int remove_all(const rm_options& options) {
    int first_failure = 0;
    for (const auto& name : options.names) {
        try {
            if (options.space) {
                remove_space(name, options.force);
            } else if (options.pool) {
                remove_pool(name);
            } else if (options.group.empty()) {
                remove_ring(name, options.force);
                look_after_dead_letters(name);
            } else {
                ring::open(name, after(1s)).remove_group(options.group);
            }
        } catch (const error& e) {
            say("{}", e.what());
            if (first_failure == 0) { first_failure = exit_code_for(e.which()); }
        }
    }
    return first_failure;
}

}  // namespace

command add_rm(CLI::App& app) {
    auto* sub = app.add_subcommand("rm", "Removes rings, a group of a ring, spaces, pools");
    auto options = std::make_shared<rm_options>();
    sub->add_option("NAME", options->names, "Rings, by name or by the path of their files")
        ->required()
        ->type_name("");
    auto* group =
        sub->add_option("--group", options->group, "Remove this group only; nobody may be in it")
            ->type_name("NAME");
    auto* space =
        sub->add_flag("--space", options->space, "Spaces of locks of these names, not rings")
            ->excludes(group);
    sub->add_flag("--pool", options->pool, "What killed owners have left of pools of these names")
        ->excludes(group)
        ->excludes(space);
    sub->add_flag("--force", options->force,
                  "Also if members are alive: they keep what they have, apart from newcomers; "
                  "never a pool whose owner lives")
        ->excludes(group);
    sub->footer(
        "Examples:\n"
        "  ringpipe rm jobs                  nobody needs the ring any more\n"
        "  ringpipe rm jobs --group audit    a group that held producers back\n"
        "  ringpipe rm --space shop          a space that no process has open\n"
        "What is not read yet is lost; dead letters stay, in the ring RING.dead.\n"
        "A file that is something else is never removed.");
    return {sub, [options] { return remove_all(*options); }};
}

}  // namespace ringpipe::pipeline
