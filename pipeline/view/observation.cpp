#include "pipeline/view/observation.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "shm/dead_letter.hpp"
#include "shm/ring.hpp"
#include "sync/space.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

// Of a ring's letters nobody has taken yet; those whose group has not begun are all there.
std::uint64_t waiting_in(const ring_status& letters) {
    if (letters.groups.empty()) { return letters.messages; }
    return letters.groups.front().lag_messages;
}

std::uint64_t dead_letters_of(const std::string& name) {
    try {
        return waiting_in(ring::open(dead_letter_ring_of(name), after(100ms)).status());
    } catch (const error&) {
        return 0;  // there is none; or it is a ring in its own right, and a problem of its own
    }
}

// What `look` fills in; with why it could not, or nothing if there is no such thing.
template <class Seen, class Look>
std::optional<Seen> seen(const std::string& name, Look look) {
    Seen one;
    one.name = name;
    try {
        look(one);
    } catch (const error& e) {
        if (e.which() == errc::ring_not_found || e.which() == errc::invalid_name) {
            return std::nullopt;
        }
        one.problem = e.what();
    }
    return one;
}

}  // namespace

const process_seen* space_seen::process(std::uint32_t pid) const {
    for (std::size_t i = 0; i < status.members.size(); ++i) {
        if (status.members[i].pid == pid && processes[i]) { return &*processes[i]; }
    }
    return nullptr;
}

std::optional<ring_seen> observer::look_at_ring(const std::string& name) {
    return seen<ring_seen>(name, [&](ring_seen& one) {
        one.status = ring::open(name, after(100ms)).status();
        for (const auto& member : one.status.members) {
            one.processes.push_back(member.alive ? processes_.read(member.pid, one.status.path)
                                                 : std::nullopt);
        }
        one.dead_letters = dead_letters_of(name);
        one.bridges = bridges_of(one.status, processes_);
    });
}

std::optional<space_seen> observer::look_at_space(const std::string& name) {
    return seen<space_seen>(name, [&](space_seen& one) {
        one.status = sync::status_of_space(name);
        for (const auto& member : one.status.members) {
            one.processes.push_back(processes_.read(member.pid, one.status.path));
        }
    });
}

std::optional<pool_seen> observer::look_at_pool(const std::string& name) {
    return seen<pool_seen>(name, [&](pool_seen& one) {
        one.outline = pool::outline_of(name);
        for (const auto& worker : one.outline.status.workers) {
            one.processes.push_back(processes_.read(worker.pid, one.outline.path));
        }
    });
}

observation observer::look() {
    observation all;
    all.at = clock::now();
    const auto add = [](auto& to, auto one) {
        if (!one) { return false; }
        to.push_back(std::move(*one));
        return true;
    };
    if (only_.empty()) {
        for (const auto& name : ring::list()) { add(all.rings, look_at_ring(name)); }
        for (const auto& name : sync::space::list()) { add(all.spaces, look_at_space(name)); }
        for (const auto& name : pool::list_pools()) { add(all.pools, look_at_pool(name)); }
        return all;
    }
    for (const auto& name : only_) {
        bool found = false;
        if (name.find('/') != std::string::npos) {
            // A path is one file, of one kind.
            auto space = look_at_space(name);
            found = space && space->problem.empty() ? add(all.spaces, std::move(space))
                                                    : add(all.rings, look_at_ring(name));
        } else {
            found |= add(all.rings, look_at_ring(name));
            found |= add(all.spaces, look_at_space(name));
            found |= add(all.pools, look_at_pool(name));
        }
        if (found) { continue; }
        ring_seen none;
        none.name = name;
        none.problem = "there is no ring, space or pool " + name;
        all.rings.push_back(std::move(none));
    }
    return all;
}

}  // namespace ringpipe::pipeline
