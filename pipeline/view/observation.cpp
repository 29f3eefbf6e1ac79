#include "pipeline/view/observation.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "shm/dead_letter.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

// Of a ring's letters nobody has taken yet; those whose group has not begun are all there.
std::uint64_t waiting_in(const ring_status& letters) {
    if (letters.groups.empty()) { return letters.messages; }
    return letters.groups.front().lag_messages;
}

std::optional<ring_status> status_of(const std::string& name) {
    try {
        return ring::open(name, after(100ms)).status();
    } catch (const error& e) {
        if (e.which() != errc::ring_not_found && e.which() != errc::invalid_name) { throw; }
        return std::nullopt;
    }
}

std::uint64_t dead_letters_of(const std::string& name) {
    try {
        const auto letters = status_of(dead_letter_ring_of(name));
        return letters ? waiting_in(*letters) : 0;
    } catch (const error&) {
        return 0;  // a ring in its own right, and a problem of its own
    }
}

}  // namespace

observation observer::look() {
    observation all{clock::now(), {}};
    for (const auto& name : only_.empty() ? ring::list() : only_) {
        ring_seen one{name, {}, {}, {}, 0};
        try {
            const auto status = status_of(name);
            if (!status && only_.empty()) { continue; }  // removed a moment ago
            if (status) {
                one.status = *status;
            } else {
                one.problem = "there is no ring " + name;
            }
        } catch (const error& e) { one.problem = e.what(); }
        for (const auto& member : one.status.members) {
            one.processes.push_back(member.alive ? processes_.read(member.pid, one.status.path)
                                                 : std::nullopt);
        }
        if (one.problem.empty()) {
            one.dead_letters = dead_letters_of(name);
            one.bridges = bridges_of(one.status, processes_);
        }
        all.rings.push_back(std::move(one));
    }
    return all;
}

}  // namespace ringpipe::pipeline
