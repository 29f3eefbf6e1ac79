#include "pipeline/doctor/pools.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/units.hpp"
#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {

findings examine_pool(const pool_seen& one) {
    const auto name = printable(one.name);
    findings found;
    const auto add = [&](severity how, std::string what, std::string advice) {
        found.push_back({how, "pool " + name, std::move(what), std::move(advice)});
    };
    const auto& outline = one.outline;
    if (!one.problem.empty()) {
        add(severity::bad, printable(one.problem),
            "end its owner; ringpipe rm --pool " + name + " removes what is left");
        return found;
    }
    if (!outline.alive) {
        add(severity::notice, fmt::format("its owner, process {}, was killed", outline.owner_pid),
            "ringpipe gc removes what it left, and so does the next pool");
        return found;
    }
    if (!outline.broken.empty()) {
        add(severity::bad, "it is broken: " + printable(outline.broken), "mend that, start again");
    }
    const auto& workers = outline.status.workers;
    for (std::size_t i = 0; i < workers.size(); ++i) {
        if (one.processes[i] && one.processes[i]->stopped) {
            add(severity::bad,
                fmt::format("worker {} is stopped{}", workers[i].pid,
                            workers[i].at_work ? ", and has begun a task" : ""),
                fmt::format("let it go on, kill -CONT {0}, or kill {0}: another takes its place",
                            workers[i].pid));
        }
    }
    if (found.empty()) {
        add(severity::good,
            fmt::format("sound: {} workers, {} tasks wait, {} run", workers.size(),
                        format_count(outline.status.waiting), format_count(outline.status.running)),
            "");
    }
    return found;
}

}  // namespace ringpipe::pipeline
