#include <algorithm>

#include "pipeline/view/pool_text.hpp"
#include "pipeline/view/status_json.hpp"

namespace ringpipe::pipeline {

nlohmann::ordered_json to_json(const pool::pool_outline& outline) {
    const auto& status = outline.status;
    nlohmann::ordered_json out = {
        {"kind", "pool"},
        {"name", outline.name},
        {"path", outline.path},
        {"state", state_of(outline)},
        {"owner_pid", outline.owner_pid},
        {"waiting", status.waiting},
        {"running", status.running},
        {"done", status.done},
        {"failed", status.failed},
        {"cancelled", status.cancelled},
        {"worker_deaths", status.worker_deaths},
        {"max_workers", outline.max_workers},
        {"workers", nlohmann::ordered_json::array()},
    };
    if (!outline.broken.empty()) { out["broken"] = outline.broken; }
    for (const auto& worker : status.workers) {
        const std::chrono::duration<double> busy =
            std::max(worker.at_it_for, std::chrono::nanoseconds{0});
        out["workers"].push_back({{"pid", worker.pid},
                                  {"at_work", worker.at_work},
                                  {"at_it_for_seconds", busy.count()},
                                  {"done", worker.done},
                                  {"failed", worker.failed}});
    }
    return out;
}

}  // namespace ringpipe::pipeline
