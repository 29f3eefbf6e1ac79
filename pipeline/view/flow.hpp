// What flows: the difference between two looks at a ring, per second.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/view/observation.hpp"

namespace ringpipe::pipeline {

struct group_flow {
    double messages = 0;  // leased, per second
    double bytes = 0;     // acknowledged, with their headers
    // How long what waits will take at this rate; nothing if nothing moves.
    std::optional<double> seconds_behind;
    // The ring is nearly full because of this one: it decides how fast all go.
    bool bottleneck = false;
};

struct member_flow {
    double messages = 0;        // sent, or leased, per second
    std::optional<double> cpu;  // 1 is one core; nothing if its process can't be seen
};

struct ring_flow {
    double messages = 0;               // sent, per second
    double bytes = 0;                  // with their headers
    std::vector<group_flow> groups;    // as status.groups
    std::vector<member_flow> members;  // as status.members
};

// Zeros where there is nothing to compare with: no ring of that name before, or another one.
[[nodiscard]] ring_flow flow_between(const observation& before, const observation& now,
                                     const ring_seen& ring);

}  // namespace ringpipe::pipeline
