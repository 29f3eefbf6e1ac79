// What a message costs as the ring grows, and what a send costs beside more groups and more
// consumers that do nothing.
#include <sys/statvfs.h>

#include <vector>

#include "bench/ringpipe_pair.hpp"
#include "common/units.hpp"

namespace ringpipe::bench {

namespace {

constexpr std::size_t size = 64;

cell ring_cell(settings how, std::uint64_t capacity) {
    how.capacity = capacity;
    auto made = stream_through_ring(how, size, "", send_each, receive_each);
    made.subject = "ringpipe, ring of " + format_bytes(capacity);
    made.name = "ringpipe, 64 B, ring of " + format_bytes(capacity);
    made.section = "as the ring grows, 64 B";
    struct statvfs there {};
    if (statvfs("/dev/shm", &there) == 0 && there.f_bavail * there.f_frsize < capacity * 9 / 8) {
        made.left_out = "/dev/shm has no room for it";
    }
    return made;
}

// Laps of a ring that fits into a cache: sends alone are timed, then all groups read. All of it in
// one process, so that what a send has to look at is seen, and not the way between two cores.
constexpr std::uint64_t lap_capacity = std::uint64_t{1} << 20U;
constexpr std::uint64_t messages_per_lap = lap_capacity / (2 * size);

void receive_lap(consumer& from, message_checker& check) {
    for (auto left = messages_per_lap; left != 0; --left) {
        const auto received = from.receive();
        expect(received);
        check(received.payload());
        from.acknowledge(received);
    }
}

measurement time_sends(const settings& how, producer& to, std::vector<consumer>& groups) {
    std::vector<message_checker> checks(groups.size(), message_checker{size});
    messages next{size};
    std::uint64_t number = 0;
    std::uint64_t timed = 0;
    std::uint64_t timed_messages = 0;
    const auto give_up = ticks() + ticks_in(4 * how.time);
    for (int lap = 0; timed_messages == 0 || (timed < ticks_in(how.time) && ticks() < give_up);
         ++lap) {
        const auto from = ticks();
        for (std::uint64_t i = 0; i < messages_per_lap; ++i) { to.send(next(number++)); }
        if (lap > 1) {  // two laps touch all memory
            timed += ticks() - from;
            timed_messages += messages_per_lap;
        }
        for (std::size_t i = 0; i < groups.size(); ++i) { receive_lap(groups[i], checks[i]); }
    }
    const auto rate = static_cast<double>(timed_messages) * 1e9 / nanoseconds(timed);
    return {true, rate, rate * size, number, {}};
}

cell beside(const settings& how, std::size_t more_groups, std::size_t idle_consumers) {
    const auto name = ring_name("send");
    const auto what = idle_consumers == 0 ? std::to_string(more_groups) + " more groups"
                                          : std::to_string(idle_consumers) + " idle consumers";
    cell made{.name = "ringpipe, send beside " + what};
    made.section = "what a send costs, 64 B";
    made.subject = more_groups + idle_consumers == 0 ? "ringpipe, one group, one consumer"
                                                     : "ringpipe, beside " + what;
    const auto opened = [=] {
        ring_options options;
        options.capacity = lap_capacity;
        options.groups = 64;
        return ring::open_or_create(name, options);
    };
    const auto join = [=](const std::string& group) {
        consumer_options options;
        options.group = group;
        return consumer{opened(), options};
    };
    made.processes.first = [=](side& me) {
        std::vector<consumer> groups;
        for (std::size_t i = 0; i <= more_groups; ++i) {
            groups.push_back(join("group-" + std::to_string(i)));
        }
        producer out{opened()};
        me.meet();  // the idle ones are there
        me.measure([&] { me.report(time_sends(how, out, groups)); });
        me.meet();
    };
    made.processes.second = [=](side& me) {
        std::vector<consumer> idle;
        for (std::size_t i = 0; i < idle_consumers; ++i) { idle.push_back(join("group-0")); }
        me.meet();
        me.measure([] {});
        me.meet();
    };
    made.clean_up = [=] { ring::remove(name); };
    return made;
}

}  // namespace

std::vector<cell> growth_cells(const settings& how) {
    std::vector<cell> cells;
    // To 1 GiB, if the ring has its default size.
    for (auto capacity = std::uint64_t{64} << 10U; capacity <= 64 * how.capacity; capacity *= 4) {
        cells.push_back(ring_cell(how, capacity));
    }
    for (const std::size_t more : {0U, 1U, 8U, 32U}) { cells.push_back(beside(how, more, 0)); }
    for (const std::size_t more : {1U, 8U, 32U}) { cells.push_back(beside(how, 0, more)); }
    return cells;
}

}  // namespace ringpipe::bench
