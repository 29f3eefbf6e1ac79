// The peer: boost::lockfree::spsc_queue, placed in shared memory.
//
// Set up for its best: its size is known at compile time, elements are read in place
// (consume_one), both sides spin without a pause.
#include <algorithm>
#include <array>
#include <boost/lockfree/spsc_queue.hpp>
#include <new>

#include "bench/cell.hpp"
#include "bench/messages.hpp"
#include "bench/stream.hpp"

namespace ringpipe::bench {

namespace {

constexpr std::size_t as_default_ring = std::size_t{16} << 20U;  // bytes
constexpr std::size_t in_second_cache = std::size_t{64} << 10U;

template <std::size_t size>
struct element {
    alignas(64) std::array<std::byte, size> data;

    [[nodiscard]] bytes view() const { return data; }
};

template <std::size_t size, std::size_t memory>
using queue = boost::lockfree::spsc_queue<element<size>, boost::lockfree::capacity<memory / size>>;

template <std::size_t size>
const element<size>& as_element(bytes message) {
    return *reinterpret_cast<const element<size>*>(message.data());
}

// The first side makes it; the second may use it as soon as they have met.
template <class Queue>
Queue& queue_in(side& me, std::size_t offset = 0) {
    return *reinterpret_cast<Queue*>(me.memory() + offset);
}

constexpr const char* whose = "Boost lockfree spsc_queue";

template <std::size_t size, std::size_t memory>
cell throughput_cell(const settings& how, const std::string& what = "") {
    using spsc = queue<size, memory>;
    const stream_plan plan{size, memory / size, how.time};
    cell made{.name = "spsc, " + size_name(size) + what, .floor = "stream, " + size_name(size)};
    made.section = one_to_one(size);
    made.subject = whose + what;
    made.processes.shared_bytes = sizeof(spsc);
    made.processes.first = [=](side& me) {
        auto& to = *new (me.memory()) spsc;
        me.measure([&] {
            send_stream(plan, [&](bytes message) {
                while (!to.push(as_element<size>(message))) {}
            });
        });
    };
    made.processes.second = [=](side& me) {
        auto& from = queue_in<spsc>(me);
        message_checker check{size, plan.warm_up};
        me.measure([&] {
            while (!check.done()) {
                from.consume_one([&](const element<size>& one) { check(one.view()); });
            }
        });
        me.report(stream_measured(check));
    };
    return made;
}

cell batches_cell(const settings& how) {
    constexpr std::size_t size = 64;
    constexpr std::size_t batch = 64;
    using spsc = queue<size, as_default_ring>;
    const stream_plan plan{size, as_default_ring / size, how.time};
    cell made{.name = "spsc, 64 B, batches of 64", .floor = "stream, 64 B"};
    made.section = one_to_one(size);
    made.subject = std::string{whose} + ", batches of 64";
    made.processes.shared_bytes = sizeof(spsc);
    made.processes.first = [=](side& me) {
        auto& to = *new (me.memory()) spsc;
        std::vector<element<size>> run(batch);
        me.measure([&] {
            send_stream_in_batches(plan, batch, [&](std::span<const bytes> messages) {
                // Its push of many takes elements one behind the other.
                std::transform(messages.begin(), messages.end(), run.begin(), as_element<size>);
                for (std::size_t done = 0; done < batch;) {
                    done += to.push(run.data() + done, batch - done);
                }
            });
        });
    };
    made.processes.second = [=](side& me) {
        auto& from = queue_in<spsc>(me);
        message_checker check{size, plan.warm_up};
        me.measure([&] {
            while (!check.done()) {
                from.consume_all([&](const element<size>& one) { check(one.view()); });
            }
        });
        me.report(stream_measured(check));
    };
    return made;
}

template <std::size_t memory>
cell round_trip_cell(const settings& how, const std::string& what = "") {
    constexpr std::size_t size = 64;
    using spsc = queue<size, memory>;
    cell made{.name = "spsc, round trip" + what,
              .what = measure::round_trip,
              .floor = "atomics, round trip"};
    made.section = trips_spinning;
    made.subject = whose + what;
    made.processes.shared_bytes = 2 * sizeof(spsc);
    made.processes.first = [=](side& me) {
        auto& to = *new (me.memory()) spsc;
        auto& from = *new (me.memory() + sizeof(spsc)) spsc;
        messages next{size};
        message_checker check{size};
        me.measure([&] {
            me.report(trips_measured(time_round_trips(trips_for(how), [&](std::uint64_t number,
                                                                          bool last) {
                while (!to.push(as_element<size>(next(number, last)))) {}
                while (!from.consume_one([&](const element<size>& one) { check(one.view()); })) {}
            })));
        });
    };
    made.processes.second = [=](side& me) {
        auto& from = queue_in<spsc>(me);
        auto& to = queue_in<spsc>(me, sizeof(spsc));
        message_checker check{size};
        me.measure([&] {
            while (!check.done()) {
                from.consume_one([&](const element<size>& one) {
                    check(one.view());
                    while (!to.push(one)) {}
                });
            }
        });
    };
    return made;
}

}  // namespace

std::vector<cell> spsc_cells(const settings& how) {
    const std::string small = ", 1024 slots";
    std::vector<cell> cells;
    for_each_size(how, [&](auto size) {
        cells.push_back(throughput_cell<size(), as_default_ring>(how));
        if (size() == 64) {
            cells.push_back(throughput_cell<64, in_second_cache>(how, small));
            cells.push_back(batches_cell(how));
        }
    });
    cells.push_back(round_trip_cell<as_default_ring>(how));
    cells.push_back(round_trip_cell<in_second_cache>(how, small));
    return cells;
}

}  // namespace ringpipe::bench
