// The same cells for every peer, so that only the way between the processes differs.
//
// A peer is a type:
//
//     struct peer {
//         static constexpr const char* name = "pipe";
//         static constexpr bool can_spin = true, can_block = true;
//         static constexpr bool streams_spinning = false;   // what suits it best
//         static constexpr bool ends_when_senders_go = true; // else receive() has a time-out
//         static constexpr std::size_t warm_up = 1U << 14U;  // messages, at most all slots
//         static std::string why_not(const link&);   // empty: it can do this here
//         class sender {
//             sender(const link&, side&);
//             void send(bytes);                      // waits for room
//             void send_batch(std::span<const bytes>);          // if it has something better
//         };
//         class receiver {
//             receiver(const link&, side&);
//             template <class Use> bool receive(Use&& use);     // waits; calls use(bytes)
//         };                                         // false: nothing yet, or the end
//         static void remove(const link&);           // what has a name, afterwards
//     };
//
// Receivers are made before the senders, and all are made before anything is measured.
#pragma once

#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cell.hpp"
#include "bench/messages.hpp"
#include "bench/stream.hpp"

namespace ringpipe::bench {

// One way, from some processes to others.
struct link {
    std::string name;  // no other has it
    std::size_t message_size = 0;
    std::uint64_t in_flight = 0;  // bytes, about
    bool spin = false;            // waits by asking again and again
    std::size_t senders = 1;
    std::size_t receivers = 1;
    std::size_t groups = 1;  // each sees every message; receivers of one group share
    std::size_t index = 0;   // of this sender, or of this receiver

    [[nodiscard]] std::size_t slots() const {
        return std::max<std::size_t>(in_flight / message_size, 8);
    }
};

[[nodiscard]] inline link link_for(const settings& how, std::size_t message_size,
                                   const std::string& what) {
    return {.name = "ringpipe-bench-" + std::to_string(getpid()) + '-' + what,
            .message_size = message_size,
            .in_flight = how.capacity};
}

template <class Peer>
concept sends_batches = requires(typename Peer::sender& to, std::span<const bytes> batch) {
    to.send_batch(batch);
};

template <class Peer>
cell stream_cell(const settings& how, std::size_t size, bool in_batches = false) {
    auto way = link_for(how, size, "stream");
    way.spin = Peer::streams_spinning;
    const std::string what = in_batches ? ", batches of 64" : "";
    const stream_plan plan{size, std::min(way.slots(), Peer::warm_up), how.time};
    cell made{.name = std::string{Peer::name} + ", " + size_name(size) + what,
              .floor = "stream, " + size_name(size)};
    made.section = one_to_one(size);
    made.subject = Peer::name + what;
    made.processes.first = [=](side& me) {
        me.meet();
        typename Peer::sender out{way, me};
        me.measure([&] {
            if constexpr (sends_batches<Peer>) {
                if (in_batches) {
                    return send_stream_in_batches(
                        plan, 64, [&](std::span<const bytes> batch) { out.send_batch(batch); });
                }
            }
            send_stream(plan, [&](bytes message) { out.send(message); });
        });
        me.meet();  // the receiver has read all: now this side may go
    };
    made.processes.second = [=](side& me) {
        typename Peer::receiver in{way, me};
        me.meet();
        message_checker check{size, plan.warm_up};
        me.measure([&] {
            while (!check.done()) { in.receive(check); }
        });
        me.report(stream_measured(check));
        me.meet();
    };
    made.clean_up = [=] { Peer::remove(way); };
    return made;
}

template <class Peer>
cell trip_cell(const settings& how, bool spin) {
    constexpr std::size_t size = 64;
    auto there = link_for(how, size, "there");
    auto back = link_for(how, size, "back");
    there.spin = back.spin = spin;
    cell made{.name = std::string{Peer::name} + ", round trip" + (spin ? ", spin" : ", block"),
              .what = measure::round_trip,
              .floor = spin ? "atomics, round trip" : "futex, round trip"};
    made.section = spin ? trips_spinning : trips_asleep;
    made.subject = Peer::name;
    made.processes.first = [=](side& me) {
        typename Peer::receiver in{back, me};
        me.meet();
        typename Peer::sender out{there, me};
        messages next{size};
        message_checker check{size};
        const auto receive_one = [&] {
            while (!in.receive(check)) {}
        };
        me.measure([&] {
            me.report(trips_measured(
                time_round_trips(trips_for(how), [&](std::uint64_t number, bool last) {
                    out.send(next(number, last));
                    receive_one();
                })));
        });
        me.meet();
    };
    made.processes.second = [=](side& me) {
        typename Peer::receiver in{there, me};
        me.meet();
        typename Peer::sender out{back, me};
        message_checker check{size};
        me.measure([&] {
            while (!check.done()) {
                in.receive([&](bytes message) {
                    check(message);
                    out.send(message);
                });
            }
        });
        me.meet();
    };
    made.clean_up = [=] {
        Peer::remove(there);
        Peer::remove(back);
    };
    return made;
}

// One to one: streams of every size, and round trips.
template <class Peer>
std::vector<cell> pair_cells(const settings& how) {
    std::vector<cell> cells;
    const auto add = [&](cell one, std::size_t size) {
        one.left_out = Peer::why_not(link_for(how, size, "try"));
        cells.push_back(std::move(one));
    };
    for (const auto size : how.sizes) {
        add(stream_cell<Peer>(how, size), size);
        if (sends_batches<Peer> && size <= 1024) { add(stream_cell<Peer>(how, size, true), size); }
    }
    if (Peer::can_spin) { add(trip_cell<Peer>(how, true), 64); }
    if (Peer::can_block) { add(trip_cell<Peer>(how, false), 64); }
    return cells;
}

}  // namespace ringpipe::bench
