#include "pipeline/view/space_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "common/units.hpp"
#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {
namespace {

using sync::part;

bool somebody(const sync::primitive_status& one, part what) {
    return std::any_of(one.participants.begin(), one.participants.end(),
                       [&](const sync::participant& who) { return who.what == what; });
}

std::string lock_state(const sync::primitive_status& one) {
    std::string state = somebody(one, part::writes)              ? "written"
                        : somebody(one, part::reads)             ? "read"
                        : somebody(one, part::waits_for_readers) ? "taken"
                        : somebody(one, part::holds)             ? "held"
                                                                 : "free";
    return one.recovered ? state + ", RECOVERED" : state;
}

// What a pid alone does not say.
std::string_view deed_of(part what) {
    switch (what) {
        case part::holds: return "";
        case part::reads: return " reads";
        case part::writes: return " writes";
        case part::waits_for_readers: return " waits for readers";
        case part::arrived: return " arrived";
        case part::awaited: return " awaited";
    }
    return "";
}

}  // namespace

std::string state_of(const sync::primitive_status& one) {
    if (!one.problem.empty()) { return one.problem; }
    if (one.kind == "mutex" || one.kind == "shared_mutex") { return lock_state(one); }
    if (one.kind == "semaphore") {
        return fmt::format("{} of {} free", format_count(one.value), format_count(one.size));
    }
    if (one.kind == "counting_semaphore") { return format_count(one.value); }
    if (one.kind == "event") { return one.value != 0 ? "set" : "clear"; }
    if (one.kind == "barrier") {
        const auto arrived =
            std::count_if(one.participants.begin(), one.participants.end(),
                          [](const sync::participant& who) { return who.what == part::arrived; });
        return fmt::format("phase {}, {} of {} arrived{}", format_count(one.value), arrived,
                           one.size, one.broken ? ", BROKEN" : "");
    }
    if (one.kind == "cell") {
        return fmt::format("{}, {} writes", format_bytes(one.size), format_count(one.value));
    }
    return fmt::format("{} orders seen", format_count(one.value));
}

std::string participants_of(const sync::primitive_status& one) {
    std::vector<std::string> all;
    for (const auto& who : one.participants) {
        auto text = who.pid != 0 ? std::to_string(who.pid) : std::string{"?"};
        text += deed_of(who.what);
        if (who.count != 1) { text += fmt::format(" x{}", who.count); }
        if (!who.alive) { text += " (dead)"; }
        all.push_back(std::move(text));
    }
    return fmt::format("{}", fmt::join(all, ", "));
}

bool wants_attention(const sync::primitive_status& one) {
    return !one.problem.empty() || one.recovered || one.broken;
}

std::string to_text(const sync::space_status& status) {
    auto out = fmt::format("space       {}\n", printable(status.name));
    out += fmt::format("file        {}\n", printable(status.path));
    out += fmt::format("used        {} of {}, {} of {} names\n", format_bytes(status.used),
                       format_bytes(status.size), status.primitives.size(), status.max_entries);
    std::vector<std::string> pids;
    for (const auto& member : status.members) { pids.push_back(std::to_string(member.pid)); }
    out += fmt::format("processes   {}\n",
                       pids.empty() ? "none" : fmt::format("{}", fmt::join(pids, ", ")));
    if (status.primitives.empty()) { return out + "names       none yet\n"; }
    std::vector<row> rows{{"NAME", "KIND", "STATE", "WHO"}};
    for (const auto& one : status.primitives) {
        rows.push_back(
            {printable(one.name), one.kind, printable(state_of(one)), participants_of(one)});
    }
    return out + table(rows, {});
}

}  // namespace ringpipe::pipeline
