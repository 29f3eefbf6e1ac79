#include "pipeline/view/bridges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/units.hpp"

namespace ringpipe::pipeline {

std::vector<bridge_seen> bridges_of(const ring_status& status, process_reader& by) {
    std::vector<bridge_seen> all;
#ifdef RINGPIPE_HAS_BRIDGE
    for (const auto& member : status.members) {
        // By its name: no need to look through the files of all others.
        if (!member.alive || !member.name.starts_with("bridge ")) { continue; }
        if (!by.read(member.pid, status.path)) { continue; }
        if (auto state = bridge::read_state_note(member.pid)) {
            all.push_back({member.slot, member.pid, std::move(*state)});
        }
    }
#else
    (void)status;
    (void)by;
#endif
    return all;
}

std::string connection_of(const bridge::bridge_state& state) {
    using namespace std::chrono;
    const auto time = std::max<system_clock::duration>(system_clock::now() - state.since, {});
    return fmt::format("{} for {}", state.connected ? "connected" : "reconnecting",
                       format_duration(duration_cast<seconds>(time)));
}

}  // namespace ringpipe::pipeline
