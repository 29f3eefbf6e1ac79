#include <string_view>

#include "pipeline/view/status_json.hpp"

namespace ringpipe::pipeline {
namespace {

using json = nlohmann::ordered_json;

std::string_view name_of(sync::part what) {
    switch (what) {
        case sync::part::holds: return "holds";
        case sync::part::reads: return "reads";
        case sync::part::writes: return "writes";
        case sync::part::waits_for_readers: return "waits_for_readers";
        case sync::part::arrived: return "arrived";
        case sync::part::awaited: return "awaited";
    }
    return "";
}

// What `size` and `value` are called, of each kind; nothing if it has none.
struct meaning {
    std::string_view kind;
    const char* size;
    const char* value;
};
constexpr meaning meanings[] = {
    {"semaphore", "units", "free"},   {"counting_semaphore", nullptr, "count"},
    {"event", nullptr, "set"},        {"barrier", "parties", "phase"},
    {"cell", "size_bytes", "writes"}, {"lock order", "room", "orders"},
};

json to_json(const sync::primitive_status& one) {
    json out = {{"name", one.name}, {"kind", one.kind}};
    if (!one.problem.empty()) {
        out["error"] = one.problem;
        return out;
    }
    for (const auto& has : meanings) {
        if (has.kind != one.kind) { continue; }
        if (has.size != nullptr) { out[has.size] = one.size; }
        out[has.value] = one.kind == "event" ? json(one.value != 0) : json(one.value);
    }
    if (one.kind == "mutex" || one.kind == "shared_mutex") { out["recovered"] = one.recovered; }
    if (one.kind == "barrier") { out["broken"] = one.broken; }
    out["participants"] = json::array();
    for (const auto& who : one.participants) {
        out["participants"].push_back({{"pid", who.pid},
                                       {"alive", who.alive},
                                       {"what", name_of(who.what)},
                                       {"count", who.count}});
    }
    return out;
}

}  // namespace

json to_json(const sync::space_status& status) {
    json out = {
        {"kind", "space"},
        {"name", status.name},
        {"path", status.path},
        {"size_bytes", status.size},
        {"used_bytes", status.used},
        {"max_members", status.max_members},
        {"max_names", status.max_entries},
        {"members", json::array()},
        {"primitives", json::array()},
    };
    for (const auto& member : status.members) {
        out["members"].push_back({{"slot", member.slot}, {"pid", member.pid}});
    }
    for (const auto& one : status.primitives) { out["primitives"].push_back(to_json(one)); }
    return out;
}

}  // namespace ringpipe::pipeline
