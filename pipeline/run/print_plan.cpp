#include "pipeline/run/print_plan.hpp"

#include <fmt/format.h>

#include <iterator>

#include "common/units.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {

std::string print_plan(const run_plan& plan) {
    std::string text;
    auto out = std::back_inserter(text);
    for (const auto& each : plan.rings) {
        fmt::format_to(out, "ring {}: {}", each.name,
                       format_bytes(each.capacity.value_or(default_capacity)));
        if (each.mode) { fmt::format_to(out, ", mode {:04o}", *each.mode); }
        text += '\n';
    }
    for (const auto& each : plan.parts) {
        fmt::format_to(out, "{}: {}", each.label,
                       !each.text.empty() ? each.text
                       : each.from        ? "(joins what the copies write)"
                                          : "(reads for the copies)");
        const bool bridges = !each.bridge.empty();
        text += each.from ? fmt::format("\n  from ring {} as group {}", plan.rings[*each.from].name,
                                        each.group)
                : bridges ? "\n  from the stream"
                : each.has_input ? "\n  from standard input"
                                 : "\n  from nothing";
        text += each.to   ? "\n  to ring " + plan.rings[*each.to].name
                : bridges ? "\n  to the stream"
                          : "\n  to standard output";
        if (each.restarts > 0) {
            fmt::format_to(out, "\n  {} restarts of each copy", each.restarts);
        }
        if (!each.directory.empty()) { fmt::format_to(out, "\n  in {}", each.directory); }
        for (const auto& one : each.environment) { fmt::format_to(out, "\n  with {}", one); }
        text += '\n';
    }
    return text;
}

}  // namespace ringpipe::pipeline
