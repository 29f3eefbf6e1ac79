#include "pipeline/doctor/rings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "common/error.hpp"
#include "common/units.hpp"
#include "pipeline/view/status_text.hpp"
#include "shm/tap.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr double nearly_full = 0.8;
constexpr auto longest_look = 2s;

class examination {
  public:
    examination(const ring_seen& before, const ring_seen& now)
        : before_{before}, now_{now}, about_{"ring " + printable(now.name)} {}

    findings run() {
        if (!now_.problem.empty()) {
            add(severity::bad, printable(now_.problem),
                "ringpipe rm " + printable(now_.name) + " removes it, if it was a ring");
            return std::move(found_);
        }
        structure();
        stream();
        groups();
        members();
        letters();
        if (found_.empty()) { add(severity::good, summary_, ""); }
        return std::move(found_);
    }

  private:
    void add(severity how, std::string what, std::string advice) {
        found_.push_back({how, about_, std::move(what), std::move(advice)});
    }

    // Header after header, as far as it was sent when we began.
    void structure() {
        std::uint64_t seen = 0;
        try {
            tap all{ring::open(now_.name, after(1s)), start_at::earliest};
            tapped_message message;
            const auto stop = after(longest_look);
            while (all.try_receive(message) == receive_status::message) {
                ++seen;
                if (message.sequence + 1 >= now_.status.messages || clock::now() >= stop) { break; }
            }
        } catch (const error& e) {
            if (e.which() == errc::ring_not_found) { return; }
            add(severity::bad, printable(e.what()), "make a new one: ringpipe rm, and start again");
        }
        summary_ =
            fmt::format("sound: {} messages read, {} of {} used", format_count(seen),
                        format_bytes(now_.status.used_bytes), format_bytes(now_.status.capacity));
    }

    void stream() {
        if (now_.status.truncated) {
            add(severity::notice, "its stream is truncated: a producer died before its end",
                "if it is named, start it again with --resume");
        }
    }

    void groups() {
        const auto& status = now_.status;
        const auto full =
            static_cast<double>(status.used_bytes) / static_cast<double>(status.capacity);
        for (const auto& group : status.groups) {
            if (group.members != 0 || group.lag_bytes == 0) { continue; }
            const bool blocks = full >= nearly_full && status.producers != 0;
            add(blocks ? severity::bad : severity::notice,
                fmt::format("nobody is in group {}, and {} wait for it{}", printable(group.name),
                            format_bytes(group.lag_bytes),
                            blocks ? "; the ring is full, and its producers wait" : ""),
                fmt::format("ringpipe-consumer {0} --group {1}, or ringpipe rm {0} --group {1}",
                            printable(now_.name), printable(group.name)));
        }
        if (status.groups.empty() && full >= nearly_full && status.producers != 0) {
            add(severity::bad, "it is full, and there has never been a consumer",
                "ringpipe-consumer " + printable(now_.name));
        }
    }

    void members() {
        std::size_t dead = 0;
        for (std::size_t i = 0; i < now_.status.members.size(); ++i) {
            const auto& member = now_.status.members[i];
            const auto& process = now_.processes[i];
            if (!member.alive) {
                ++dead;
            } else if (process && process->stopped) {
                add(severity::bad,
                    fmt::format("{} {} is stopped, and holds {}", role_name(member.role),
                                member.pid, format_bytes(member.leased_bytes)),
                    fmt::format("let it go on: kill -CONT {}", member.pid));
            } else if (stands_still(i)) {
                add(severity::notice,
                    fmt::format("consumer {} has {} leased and used no CPU since the first look",
                                member.pid, format_bytes(member.leased_bytes)),
                    fmt::format("if it hangs, kill {}: another member of group {} goes on",
                                member.pid, printable(member.group)));
            }
        }
        if (dead != 0) {
            add(severity::notice, fmt::format("{} dead member{}", dead, dead == 1 ? "" : "s"),
                "nothing to do: the next who comes cleans up behind them");
        }
    }

    [[nodiscard]] bool stands_still(std::size_t index) const {
        const auto& member = now_.status.members[index];
        const auto& process = now_.processes[index];
        const auto& earlier = before_.status.members;
        const auto old = std::find_if(earlier.begin(), earlier.end(), [&](const member_status& m) {
            return m.slot == member.slot && m.pid == member.pid;
        });
        if (member.leased_bytes == 0 || !process || old == earlier.end()) { return false; }
        const auto& then = before_.processes[static_cast<std::size_t>(old - earlier.begin())];
        return then && then->cpu_seconds >= process->cpu_seconds &&
               old->leased_bytes == member.leased_bytes && old->messages == member.messages;
    }

    void letters() {
        if (now_.dead_letters != 0) {
            add(severity::notice,
                fmt::format("{} dead letter{}", format_count(now_.dead_letters),
                            now_.dead_letters == 1 ? " waits" : "s wait"),
                "ringpipe dead " + printable(now_.name));
        }
        if (now_.status.dead_letters_dropped != 0) {
            add(severity::bad,
                fmt::format("{} dead letters are lost: there was no room for them",
                            format_count(now_.status.dead_letters_dropped)),
                "take them out in time: ringpipe dead");
        }
    }

    const ring_seen& before_;
    const ring_seen& now_;
    std::string about_;
    std::string summary_;
    findings found_;
};

}  // namespace

findings examine_ring(const ring_seen& before, const ring_seen& now) {
    return examination{before, now}.run();
}

}  // namespace ringpipe::pipeline
