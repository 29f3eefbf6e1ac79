#include "pipeline/view/pool_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/units.hpp"
#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {

std::string_view state_of(const pool::pool_outline& one) {
    if (!one.alive) { return "abandoned"; }
    return one.broken.empty() ? "open" : "broken";
}

std::string state_of(const pool::worker_status& one) {
    if (!one.at_work) { return "idle"; }
    // The task may have begun behind the look at the clock.
    return "at work for " + format_duration(std::max(one.at_it_for, std::chrono::nanoseconds{0}));
}

std::string to_text(const pool::pool_outline& outline) {
    const auto& status = outline.status;
    auto out = fmt::format("pool        {}\n", printable(outline.name));
    out += fmt::format("file        {}\n", printable(outline.path));
    out += fmt::format("state       {}\n", state_of(outline));
    out += fmt::format("owner       process {}{}\n", outline.owner_pid,
                       outline.alive ? "" : " (dead; ringpipe gc removes what it left)");
    if (!outline.broken.empty()) {
        out += fmt::format("BROKEN      {}\n", printable(outline.broken));
    }
    out += fmt::format("tasks       {} waiting, {} running, {} done, {} failed, {} cancelled\n",
                       format_count(status.waiting), format_count(status.running),
                       format_count(status.done), format_count(status.failed),
                       format_count(status.cancelled));
    out += fmt::format("workers     {} of at most {}, {} died\n", status.workers.size(),
                       outline.max_workers, format_count(status.worker_deaths));
    if (status.workers.empty()) { return out; }
    std::vector<row> rows{{"PID", "STATE", "DONE", "FAILED"}};
    for (const auto& worker : status.workers) {
        rows.push_back({std::to_string(worker.pid), state_of(worker), format_count(worker.done),
                        format_count(worker.failed)});
    }
    return out + table(rows, {0, 2, 3});
}

}  // namespace ringpipe::pipeline
