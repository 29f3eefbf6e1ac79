#include <fmt/core.h>

#include <memory>
#include <vector>

#include "common/error.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/dead_letters.hpp"
#include "pipeline/say.hpp"
#include "shm/dead_letter.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

struct rm_options {
    std::vector<std::string> rings;
    std::string group;
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
        if (unusable(e.which())) { return 0; }
        throw;
    }
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
                    fmt::format("cannot remove ring {}: there is none; see ringpipe ls", name)};
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
    for (const auto& name : options.rings) {
        try {
            if (options.group.empty()) {
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
    auto* sub = app.add_subcommand("rm", "Removes rings, or a group of a ring");
    auto options = std::make_shared<rm_options>();
    sub->add_option("RING", options->rings, "Names, or paths of files")->required()->type_name("");
    auto* group =
        sub->add_option("--group", options->group, "Remove this group only; nobody may be in it")
            ->type_name("NAME");
    sub->add_flag("--force", options->force,
                  "Also if members are alive: they keep what they have, apart from newcomers")
        ->excludes(group);
    sub->footer(
        "Examples:\n"
        "  ringpipe rm jobs                  nobody needs the ring any more\n"
        "  ringpipe rm jobs --group audit    a group that held producers back\n"
        "What is not read yet is lost; dead letters stay, in the ring RING.dead.\n"
        "A file that is not a ring is never removed.");
    return {sub, [options] { return remove_all(*options); }};
}

}  // namespace ringpipe::pipeline
