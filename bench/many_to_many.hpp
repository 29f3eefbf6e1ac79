// Several senders and several receivers on two cores, for every peer that can do it.
//
// Senders send for some time. Receivers of one group share the messages: each receiver checks every
// byte and that what it gets of one sender is in order; afterwards it is checked that every group
// got every message of every sender exactly once.
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "bench/exactly_once.hpp"
#include "bench/peer.hpp"

namespace ringpipe::bench {

struct shape {
    const char* name;
    std::size_t senders;
    std::size_t receivers;
    std::size_t groups;
};

inline constexpr std::array<shape, 5> shapes{{{"2 to 1", 2, 1, 1},
                                              {"1 to 2, one group", 1, 2, 1},
                                              {"1 to 2, two groups", 1, 2, 2},
                                              {"2 to 2", 2, 2, 1},
                                              {"8 to 8", 8, 8, 1}}};

// What senders and receivers know of each other besides the peer.
struct many_progress {
    alignas(128) std::atomic<std::uint64_t> sent{0};  // by all, told at their end
    alignas(128) std::atomic<std::uint64_t> senders_done{0};
    alignas(128) std::array<std::atomic<std::uint64_t>, 2> received{};  // by all of a group
};

template <class Peer>
void send_one_of_many(const link& way, const stream_plan& plan, side& me) {
    auto& progress = *reinterpret_cast<many_progress*>(me.memory());
    me.meet();
    std::optional<typename Peer::sender> out;
    me.on_both_cores([&] { out.emplace(way, me); });
    me.measure([&] {
        std::uint64_t sent = 0;
        send_stream(plan, [&](bytes message) {
            out->send(message);
            ++sent;
        });
        progress.sent.fetch_add(sent, std::memory_order_acq_rel);
        progress.senders_done.fetch_add(1, std::memory_order_acq_rel);
        me.report(sent_by_one{sent});
        if constexpr (Peer::ends_when_senders_go) { out.reset(); }
    });
}

template <class Peer>
void receive_one_of_many(const link& way, const stream_plan& plan, side& me) {
    auto& progress = *reinterpret_cast<many_progress*>(me.memory());
    auto& received = progress.received.at(way.index % way.groups);
    std::optional<typename Peer::receiver> in;
    me.on_both_cores([&] { in.emplace(way, me); });
    me.meet();
    share_checker check{way.message_size, way.senders, plan.warm_up};
    const auto all_is_there = [&] {
        return progress.senders_done.load(std::memory_order_acquire) == way.senders &&
               received.load(std::memory_order_acquire) >=
                   progress.sent.load(std::memory_order_acquire);
    };
    me.measure([&] {
        std::uint64_t told = 0;
        const auto tell = [&] {
            received.fetch_add(check.verified() - told, std::memory_order_acq_rel);
            told = check.verified();
        };
        const auto patience = ticks_in(std::chrono::seconds{5});
        auto last_message_at = ticks();
        for (;;) {
            if (in->receive(check)) { continue; }
            if (told != check.verified()) {
                tell();
                last_message_at = ticks();
            }
            if (all_is_there()) { break; }
            if (ticks() - last_message_at > patience) {
                throw std::runtime_error("some messages never came");
            }
        }
        me.report(check.result());
        in.reset();
    });
}

template <class Peer>
cell many_cell(const settings& how, const shape& of) {
    constexpr std::size_t size = 64;
    auto way = link_for(how, size, "many");
    way.senders = of.senders;
    way.receivers = of.receivers;
    way.groups = of.groups;
    way.spin = Peer::streams_spinning;
    const stream_plan plan{size, std::min(way.slots(), Peer::warm_up) / of.senders, how.time};
    cell made{.name = std::string{Peer::name} + ", " + of.name};
    made.section = std::string{of.name} + ", 64 B";
    made.subject = Peer::name;
    if (made.subject == "ringpipe") {
        made.also = {by_processes, std::string{"ringpipe, "} + of.name};
    }
    made.senders = of.senders;
    made.left_out = Peer::why_not(way);
    made.processes.shared_bytes = sizeof(many_progress);
    std::vector<team::work> members;
    for (std::size_t i = 0; i < of.senders; ++i) {
        auto mine = way;
        auto my_plan = plan;
        mine.index = my_plan.origin = i;
        members.emplace_back([=](side& me) { send_one_of_many<Peer>(mine, my_plan, me); });
    }
    for (std::size_t i = 0; i < of.receivers; ++i) {
        auto mine = way;
        mine.index = i;
        members.emplace_back([=](side& me) { receive_one_of_many<Peer>(mine, plan, me); });
    }
    made.processes.first = members.at(0);
    made.processes.second = members.at(1);
    made.processes.others.assign(members.begin() + 2, members.end());
    made.judge = [=](const team_outcome& outcome) {
        return judge_exactly_once(outcome, of.senders, of.receivers, of.groups, size);
    };
    made.clean_up = [=] { Peer::remove(way); };
    return made;
}

template <class Peer>
std::vector<cell> many_cells(const settings& how) {
    std::vector<cell> cells;
    for (const auto& of : shapes) { cells.push_back(many_cell<Peer>(how, of)); }
    return cells;
}

template <class Peer>
std::vector<cell> all_cells(const settings& how) {
    auto cells = pair_cells<Peer>(how);
    for (auto& one : many_cells<Peer>(how)) { cells.push_back(std::move(one)); }
    return cells;
}

}  // namespace ringpipe::bench
