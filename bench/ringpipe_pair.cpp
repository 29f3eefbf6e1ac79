#include "bench/ringpipe_pair.hpp"

#include <unistd.h>

namespace ringpipe::bench {

std::string ring_name(const char* which) {
    return "bench-" + std::to_string(getpid()) + '-' + which;
}

ring ring_for(const settings& how, const std::string& name) {
    ring_options options;
    options.capacity = how.capacity;
    return ring::open_or_create(name, options);
}

void send_each(producer& to, const stream_plan& plan) {
    send_stream(plan, [&](bytes message) { to.send(message); });
}

void receive_each(consumer& from, message_checker& check) {
    while (!check.done()) {
        const auto received = from.receive();
        expect(received);
        check(received.payload());
        from.acknowledge(received);
    }
}

cell stream_through_ring(const settings& how, std::size_t size, const std::string& what,
                         const ring_sender& send, const ring_receiver& receive,
                         wait_strategy wait) {
    const auto name = ring_name("stream");
    const stream_plan plan{size, how.capacity / size, how.time};
    cell made{.name = "ringpipe, " + size_name(size) + what,
              .floor = "stream, " + size_name(size),
              .peer = "spsc, " + size_name(size)};
    made.section = one_to_one(size);
    made.subject = "ringpipe" + what;
    made.processes.first = [=](side& me) {
        producer out{ring_for(how, name), waiting<producer_options>(wait)};
        me.measure([&] { send(out, plan); });
        me.meet();  // the consumer has read all: now the stream may end
    };
    made.processes.second = [=](side& me) {
        consumer in{ring_for(how, name), waiting<consumer_options>(wait)};
        message_checker check{size, plan.warm_up};
        me.measure([&] { receive(in, check); });
        me.report(stream_measured(check));
        me.meet();
    };
    made.clean_up = [=] { ring::remove(name); };
    return made;
}

namespace {

// All of the ring's memory is touched before round trips are timed, or its page faults would be
// their p99. The other cells need no more than a warm-up.
constexpr std::size_t large = std::size_t{64} << 10U;

std::uint64_t large_ones_in(const ring& of) { return of.capacity() / large + 1; }

void fill_once(producer& to, const ring& of) {
    const std::vector<std::byte> message(large);
    for (auto left = large_ones_in(of); left != 0; --left) { to.send(message); }
}

void empty_once(consumer& from, const ring& of) {
    for (auto left = large_ones_in(of); left != 0; --left) {
        const auto received = from.receive();
        expect(received);
        (void)sum_of_words(received.payload());
        from.acknowledge(received);
    }
}

}  // namespace

cell trips_through_rings(const settings& how, const std::string& what, wait_strategy wait,
                         std::chrono::nanoseconds pause) {
    constexpr std::size_t size = 64;
    const bool sleeps = wait == wait_strategy::block;
    auto plan = trips_for(how);
    plan.pause = pause;
    const auto there = ring_name("there");
    const auto back = ring_name("back");
    cell made{.name = "ringpipe, round trip" + what,
              .what = measure::round_trip,
              .floor = sleeps ? "futex, round trip" : "atomics, round trip",
              .peer = "spsc, round trip"};
    made.section = sleeps ? trips_asleep : trips_spinning;
    made.subject = "ringpipe" + what;
    made.processes.first = [=](side& me) {
        const auto to = ring_for(how, there);
        const auto from = ring_for(how, back);
        producer out{to, waiting<producer_options>(wait)};
        consumer in{from, waiting<consumer_options>(wait)};
        messages next{size};
        message_checker check{size};
        fill_once(out, to);
        empty_once(in, from);
        me.measure([&] {
            me.report(trips_measured(time_round_trips(plan, [&](std::uint64_t number, bool last) {
                out.send(next(number, last));
                const auto received = in.receive();
                expect(received);
                check(received.payload());
                in.acknowledge(received);
            })));
        });
    };
    made.processes.second = [=](side& me) {
        const auto from = ring_for(how, there);
        const auto to = ring_for(how, back);
        consumer in{from, waiting<consumer_options>(wait)};
        producer out{to, waiting<producer_options>(wait)};
        message_checker check{size};
        empty_once(in, from);
        fill_once(out, to);
        me.measure([&] {
            while (!check.done()) {
                const auto received = in.receive();
                expect(received);
                check(received.payload());
                out.send(received.payload());
                in.acknowledge(received);
            }
        });
    };
    made.clean_up = [=] {
        ring::remove(there);
        ring::remove(back);
    };
    return made;
}

}  // namespace ringpipe::bench
