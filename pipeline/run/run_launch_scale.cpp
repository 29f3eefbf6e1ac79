// What `ringpipe scale` asks of a run.
#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "pipeline/run/run_launch.hpp"
#include "pipeline/run/stage_plan.hpp"
#include "pipeline/stage/retirement.hpp"

namespace ringpipe::pipeline {
void run_launch::take_order(const scale_order& order, const control::reply& reply) {
    const auto ring = links_.find(order.ring);
    if (!ring) { return reply(std::nullopt); }
    std::vector<std::size_t> readers;
    std::string groups;
    for (std::size_t place = 0; place < plan_.parts.size(); ++place) {
        const auto& what = plan_.parts[place];
        if (what.from != *ring || what.text.empty()) { continue; }
        groups += fmt::format("{}{} ({})", groups.empty() ? "" : ", ", what.group, what.label);
        if (what.group == order.group) { readers.push_back(place); }
    }
    if (readers.empty()) {
        return reply(scale_result{
            EX_NOINPUT,
            fmt::format("no stage reads ring {} as group {}; {}", order.ring, order.group,
                        groups.empty() ? "it only joins what copies write"
                                       : "those that read it: " + groups)});
    }
    if (readers.size() > 1) {
        return reply(scale_result{
            EX_UNAVAILABLE, fmt::format("several stages share group {} of ring {}, and it cannot "
                                        "be said which of them is meant: {}",
                                        order.group, order.ring, groups)});
    }
    const auto place = readers.front();
    if (const auto why = refusal(place, order.copies)) { return reply(why); }
    scale(place, order.copies, reply);
}

std::optional<scale_result> run_launch::refusal(std::size_t place, std::size_t copies) const {
    const auto& what = plan_.parts[place];
    if (copies < 1 || copies > most_copies) {
        return scale_result{EX_USAGE, fmt::format("{} cannot have {} copies; 1 to {} are possible",
                                                  what.label, copies, most_copies)};
    }
    if (!what.bridge.empty()) {
        return scale_result{EX_UNAVAILABLE,
                            fmt::format("{} to {} is one for its group: two would take turns, and "
                                        "mix the order; see --partition-by of ringpipe bridge out",
                                        what.label, what.text)};
    }
    if (!may_be_scaled(what)) {
        return scale_result{
            EX_UNAVAILABLE,
            fmt::format("{} writes the standard output itself, so there is only one of it; start "
                        "it as '1x CMD' (copies = 1 in a file) to scale it",
                        what.label)};
    }
    if (all_done(place)) { return scale_result{EX_UNAVAILABLE, what.label + " has ended"}; }
    if (states_[place].stopped_at) {
        return scale_result{EX_UNAVAILABLE, what.label + " is being stopped"};
    }
    const auto now = at_work(place).size();
    for (const auto ring : {*what.from, *what.to}) {
        const auto room = links_.room_for_members(ring);
        if (copies > now + room) {
            return scale_result{
                EX_UNAVAILABLE,
                fmt::format("{} cannot have {} copies more: ring {} has room for {} members more",
                            what.label, copies - now, links_.name(ring), room)};
        }
    }
    return std::nullopt;
}

// The numbers of the copies that are to stay.
std::vector<std::size_t> run_launch::at_work(std::size_t place) const {
    std::vector<std::size_t> numbers;
    const auto& copies = states_[place].copies;
    for (std::size_t number = 0; number < copies.size(); ++number) {
        if (!copies[number].done && !copies[number].retires) { numbers.push_back(number); }
    }
    return numbers;
}

void run_launch::scale(std::size_t place, std::size_t copies, const control::reply& reply) {
    auto& where = states_[place];
    const auto& label = plan_.parts[place].label;
    const auto before = at_work(place);
    try {
        for (auto count = before.size(); count < copies; ++count) {
            // A number of its own: what the copy with an old one has written may carry it.
            where.copies.emplace_back();
            start(place, where.copies.size() - 1);
        }
    } catch (const std::exception& e) {
        where.copies.back().done = true;
        return reply(
            scale_result{EX_OSERR, fmt::format("{} has {} copies: one more cannot be started: {}",
                                               label, at_work(place).size(), e.what())});
    }
    departure leaving;
    for (auto count = before.size(); count > copies; --count) {
        const auto number = before[count - 1];
        auto& one = where.copies[number];
        one.retires = true;
        leaving.numbers.insert(number);
        // One that waits for its next life does not get it.
        one.lives.back()->signal_alone(stage::retirement_signal);
    }
    const scale_result result{
        0, before.size() == copies
               ? fmt::format("{}: {} copies, as before", label, copies)
               : fmt::format("{}: {} copies, before {}", label, copies, before.size())};
    if (leaving.numbers.empty()) { return reply(result); }
    leaving.when_gone = [reply, result] { reply(result); };
    where.departures.push_back(std::move(leaving));
}

void run_launch::tell_who_waits_for(std::size_t place, std::size_t number) {
    auto& all = states_[place].departures;
    for (auto& each : all) {
        if (each.numbers.erase(number) > 0 && each.numbers.empty()) { each.when_gone(); }
    }
    all.erase(std::remove_if(all.begin(), all.end(),
                             [](const departure& each) { return each.numbers.empty(); }),
              all.end());
}

}  // namespace ringpipe::pipeline
