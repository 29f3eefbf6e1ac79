#include "pipeline/doctor/spaces.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/units.hpp"
#include "pipeline/view/status_text.hpp"

namespace ringpipe::pipeline {
namespace {

class examination {
  public:
    explicit examination(const space_seen& one)
        : one_{one}, about_{"space " + printable(one.name)} {}

    findings run() {
        if (!one_.problem.empty()) {
            add(severity::bad, printable(one_.problem), "");
            return std::move(found_);
        }
        const auto& status = one_.status;
        for (const auto& each : status.primitives) { primitive(each); }
        if (status.members.size() >= status.max_members) {
            add(severity::notice,
                fmt::format("all its {} slots for processes are in use", status.max_members),
                "make it with more members");
        }
        if (status.primitives.size() >= status.max_entries) {
            add(severity::notice, fmt::format("all its {} names are in use", status.max_entries),
                "make it with more entries");
        }
        if (found_.empty()) {
            add(severity::good,
                fmt::format("sound: {} names, {} processes, {} of {} used",
                            status.primitives.size(), status.members.size(),
                            format_bytes(status.used), format_bytes(status.size)),
                "");
        }
        return std::move(found_);
    }

  private:
    void add(severity how, std::string what, std::string advice) {
        found_.push_back({how, about_, std::move(what), std::move(advice)});
    }

    void primitive(const sync::primitive_status& each) {
        const auto what = fmt::format("{} {}", each.kind, printable(each.name));
        if (!each.problem.empty()) {
            add(severity::bad, fmt::format("{}: {}", what, each.problem),
                "end its processes, and remove the space: ringpipe rm --space " +
                    printable(one_.name));
            return;
        }
        if (each.recovered) {
            add(severity::notice,
                fmt::format("an owner of {} died, and nobody has said since that what it guards "
                            "is in order",
                            what),
                "whoever locks it finds recovered(); mark_consistent() takes it back");
        }
        if (each.broken) {
            add(severity::bad, fmt::format("{} waits for a party that is gone", what),
                "start another party: it takes that seat; or end the others");
        }
        for (const auto& who : each.participants) { participant(what, each, who); }
    }

    void participant(const std::string& what, const sync::primitive_status& each,
                     const sync::participant& who) {
        if (!who.alive && each.kind != "barrier") {
            add(severity::notice,
                fmt::format("{} is held by {}, which is dead", what,
                            who.pid != 0 ? fmt::format("process {}", who.pid) : "a process"),
                "nothing to do: the next who wants it gets it");
            return;
        }
        const auto* const process = who.alive ? one_.process(who.pid) : nullptr;
        // At a barrier only those are waited for who have not arrived.
        if (process != nullptr && process->stopped && who.what != sync::part::arrived) {
            add(severity::bad,
                fmt::format("process {} is stopped, and {} {}", who.pid,
                            who.what == sync::part::awaited ? "is awaited at" : "holds", what),
                fmt::format("let it go on: kill -CONT {}", who.pid));
        }
    }

    const space_seen& one_;
    std::string about_;
    findings found_;
};

}  // namespace

findings examine_space(const space_seen& one) { return examination{one}.run(); }

}  // namespace ringpipe::pipeline
