// The floors: what two cores of this machine can do at best, without a queue.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "bench/cell.hpp"
#include "bench/messages.hpp"
#include "bench/probe.hpp"
#include "bench/stream.hpp"

namespace ringpipe::bench {

namespace {

cell atomics_cell(const settings& how) {
    const auto words = [](side& me) { return reinterpret_cast<raw_atomics*>(me.memory()); };
    cell made{.name = "atomics, round trip", .what = measure::round_trip};
    made.section = trips_spinning;
    made.subject = "two raw atomics";
    made.processes.shared_bytes = sizeof(raw_atomics);  // all zeros is what it starts with
    made.processes.first = [=](side& me) {
        me.measure([&] { me.report(trips_measured(words(me)->call(trips_for(how)))); });
    };
    made.processes.second = [=](side& me) { me.measure([&] { words(me)->answer(); }); };
    return made;
}

// Two words, each written by one side, on which the other side sleeps at once.
struct two_futexes {
    using word = std::atomic<std::uint32_t>;
    static constexpr std::uint32_t last = 1U << 31U;

    alignas(128) word ping{0};
    alignas(128) word pong{0};

    static void store_and_wake(word& to, std::uint32_t value) {
        to.store(value, std::memory_order_seq_cst);
        syscall(SYS_futex, &to, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    }
    static std::uint32_t wait_while(word& at, std::uint32_t value) {
        std::uint32_t seen = 0;
        while ((seen = at.load(std::memory_order_seq_cst)) == value) {
            syscall(SYS_futex, &at, FUTEX_WAIT, value, nullptr, nullptr, 0);
        }
        return seen;
    }
};

cell futex_cell(const settings& how) {
    const auto words = [](side& me) { return reinterpret_cast<two_futexes*>(me.memory()); };
    cell made{.name = "futex, round trip", .what = measure::round_trip};
    made.section = trips_asleep;
    made.subject = "two futexes";
    made.processes.shared_bytes = sizeof(two_futexes);
    made.processes.first = [=](side& me) {
        auto& both = *words(me);
        me.measure([&] {
            std::uint32_t answered = 0;
            me.report(trips_measured(time_round_trips(trips_for(how), [&](std::uint64_t number,
                                                                          bool is_last) {
                const auto mine = static_cast<std::uint32_t>(number + 1);
                two_futexes::store_and_wake(both.ping, mine | (is_last ? two_futexes::last : 0));
                answered = two_futexes::wait_while(both.pong, answered);
            })));
        });
    };
    made.processes.second = [=](side& me) {
        auto& both = *words(me);
        me.measure([&] {
            std::uint32_t asked = 0;
            while ((asked & two_futexes::last) == 0) {
                asked = two_futexes::wait_while(both.ping, asked);
                two_futexes::store_and_wake(both.pong, asked);
            }
        });
    };
    return made;
}

// Two chunks: while one core writes the one, the other reads the other; one flag per chunk and no
// other synchronisation. What a queue could reach if it cost nothing.
struct two_chunks {
    alignas(128) std::atomic<std::uint64_t> written{0};  // bytes, told after each chunk
    alignas(128) std::atomic<std::uint64_t> read{0};     // bytes, told after each chunk

    [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }

    static std::size_t bytes_for(std::uint64_t chunk) { return sizeof(two_chunks) + 2 * chunk; }

    static void wait_for(const std::atomic<std::uint64_t>& position, std::uint64_t least) {
        while (position.load(std::memory_order_acquire) < least) {}
    }
};

template <std::size_t size>
void write_chunks(two_chunks& to, std::uint64_t chunk, const stream_plan& plan) {
    std::uint64_t at = 0;
    const auto mask = 2 * chunk - 1;
    send_stream(plan, [&](bytes message) {
        if ((at & (chunk - 1)) == 0) [[unlikely]] {
            to.written.store(at, std::memory_order_release);
            if (at >= 2 * chunk) { two_chunks::wait_for(to.read, at - chunk); }
        }
        std::memcpy(to.data() + (at & mask), message.data(), size);
        at += size;
    });
    to.written.store(at, std::memory_order_release);
}

template <std::size_t size>
void read_chunks(two_chunks& from, std::uint64_t chunk, message_checker& check) {
    std::uint64_t at = 0;
    std::uint64_t readable = 0;
    const auto mask = 2 * chunk - 1;
    while (!check.done()) {
        if (at == readable) [[unlikely]] {
            from.read.store(at, std::memory_order_release);
            two_chunks::wait_for(from.written, at + 1);
            readable = from.written.load(std::memory_order_acquire);
        }
        check({from.data() + (at & mask), size});
        at += size;
    }
}

template <std::size_t size>
cell stream_cell(const settings& how, std::uint64_t chunk, const std::string& what = "") {
    const auto chunks = [](side& me) { return reinterpret_cast<two_chunks*>(me.memory()); };
    const stream_plan plan{size, 2 * chunk / size, how.time};
    cell made{.name = "stream, " + size_name(size) + what};
    made.section = one_to_one(size);
    made.subject = "no queue" + what;
    made.processes.shared_bytes = two_chunks::bytes_for(chunk);
    made.processes.first = [=](side& me) {
        me.measure([&] { write_chunks<size>(*chunks(me), chunk, plan); });
    };
    made.processes.second = [=](side& me) {
        message_checker check{size, plan.warm_up};
        me.measure([&] { read_chunks<size>(*chunks(me), chunk, check); });
        me.report(stream_measured(check));
    };
    return made;
}

}  // namespace

std::vector<cell> floor_cells(const settings& how) {
    constexpr std::uint64_t in_cache = std::uint64_t{4} << 20U;
    std::vector<cell> cells;
    for_each_size(how, [&](auto size) {
        cells.push_back(stream_cell<size()>(how, how.capacity));
        if (size() == 64) {
            cells.push_back(stream_cell<size()>(how, in_cache, ", chunks of 4 MiB"));
        }
    });
    cells.push_back(atomics_cell(how));
    cells.push_back(futex_cell(how));
    return cells;
}

}  // namespace ringpipe::bench
