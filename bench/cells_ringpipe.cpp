// ringpipe itself, through its public headers only.
#include <unistd.h>

#include <stdexcept>

#include "bench/cell.hpp"
#include "bench/messages.hpp"
#include "bench/stream.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::bench {

namespace {

using sender = std::function<void(producer&, const stream_plan&)>;
using receiver = std::function<void(consumer&, message_checker&)>;

std::string ring_name(const char* which) {
    return "bench-" + std::to_string(getpid()) + '-' + which;
}

ring ring_for(const settings& how, const std::string& name) {
    ring_options options;
    options.capacity = how.capacity;
    return ring::open_or_create(name, options);
}

template <class Options>
Options waiting(wait_strategy wait) {
    Options options;
    options.wait = wait;
    return options;
}

void expect(const message& received) {
    if (!received) { throw std::runtime_error("the stream ended too early"); }
}

void send_each(producer& to, const stream_plan& plan) {
    send_stream(plan, [&](bytes message) { to.send(message); });
}

void send_batches(producer& to, const stream_plan& plan) {
    send_stream_in_batches(plan, 64, [&](std::span<const bytes> batch) { to.send_batch(batch); });
}

void build_in_place(producer& to, const stream_plan& plan) {
    send_stream(plan, [&](bytes message) {
        auto place = to.lend(message.size());
        std::memcpy(place.payload().data(), message.data(), message.size());
        place.commit();
    });
}

void receive_each(consumer& from, message_checker& check) {
    while (!check.done()) {
        const auto received = from.receive();
        expect(received);
        check(received.payload());
        from.acknowledge(received);
    }
}

cell throughput_cell(const settings& how, std::size_t size, const std::string& what,
                     const sender& send, const receiver& receive) {
    const auto name = ring_name("stream");
    const stream_plan plan{size, how.capacity / size, how.time};
    cell made{.name = "ringpipe, " + size_name(size) + what,
              .floor = "stream, " + size_name(size),
              .peer = "spsc, " + size_name(size)};
    made.section = one_to_one(size);
    made.subject = "ringpipe" + what;
    made.processes.first = [=](side& me) {
        producer out{ring_for(how, name)};
        me.measure([&] { send(out, plan); });
        me.meet();  // the consumer has read all: now the stream may end
    };
    made.processes.second = [=](side& me) {
        consumer in{ring_for(how, name)};
        message_checker check{size, plan.warm_up};
        me.measure([&] { receive(in, check); });
        me.report(stream_measured(check));
        me.meet();
    };
    made.clean_up = [=] { ring::remove(name); };
    return made;
}

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

cell round_trip_cell(const settings& how, const std::string& what, wait_strategy wait,
                     const std::string& floor) {
    constexpr std::size_t size = 64;
    const auto there = ring_name("there");
    const auto back = ring_name("back");
    cell made{.name = "ringpipe, round trip" + what,
              .what = measure::round_trip,
              .floor = floor,
              .peer = "spsc, round trip"};
    made.section = wait == wait_strategy::block ? trips_asleep : trips_spinning;
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
            me.report(trips_measured(
                time_round_trips(trips_for(how), [&](std::uint64_t number, bool last) {
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

}  // namespace

std::vector<cell> ringpipe_cells(const settings& how) {
    const std::string spinning = "atomics, round trip";
    const std::string sleeping = "futex, round trip";
    std::vector<cell> cells;
    for (const auto size : how.sizes) {
        cells.push_back(throughput_cell(how, size, "", send_each, receive_each));
        if (4 * size > how.capacity) { continue; }
        if (size <= 1024) {
            cells.push_back(
                throughput_cell(how, size, ", batches of 64", send_batches, receive_each));
        }
        if (size >= large) {
            cells.push_back(throughput_cell(how, size, ", loans", build_in_place, receive_each));
        }
    }
    cells.push_back(round_trip_cell(how, ", spin", wait_strategy::spin, spinning));
    cells.push_back(round_trip_cell(how, "", wait_strategy::adaptive, spinning));
    cells.push_back(round_trip_cell(how, ", block", wait_strategy::block, sleeping));
    return cells;
}

}  // namespace ringpipe::bench
