#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "bench/at_rest.hpp"
#include "bench/team.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::bench {

namespace {

struct cpu_use {
    double seconds = 0;
    double of_seconds = 0;
    long wake_ups = 0;
};

cpu_use used_by_now() {
    rusage now{};
    getrusage(RUSAGE_SELF, &now);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return {seconds(now.ru_utime) + seconds(now.ru_stime), 0, now.ru_nvcsw};
}

template <class Work>
cpu_use used_by(Work&& work) {
    const auto before = used_by_now();
    const auto from = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - from;
    const auto after = used_by_now();
    return {after.seconds - before.seconds, passed.count(), after.wake_ups - before.wake_ups};
}

ring open(const std::string& name, std::uint64_t capacity) {
    ring_options options;
    options.capacity = capacity;
    return ring::open_or_create(name, options);
}

// The consumer waits for a message that does not come.
cpu_use of_consumer(const std::string& name, std::uint64_t capacity, std::chrono::milliseconds time,
                    wait_strategy wait) {
    consumer_options options;
    options.wait = wait;
    consumer in{open(name, capacity), options};
    return used_by([&] {
        if (in.receive_for(time)) { throw std::runtime_error("a message from nobody"); }
    });
}

// The producer waits for room that nobody makes.
cpu_use of_producer(const std::string& name, std::uint64_t capacity, std::chrono::milliseconds time,
                    wait_strategy wait) {
    producer_options options;
    options.wait = wait;
    producer out{open(name, capacity), options};
    const std::vector<std::byte> message(capacity / 16);
    while (out.try_send(message)) {}
    return used_by([&] {
        if (out.send_for(message, time)) { throw std::runtime_error("room from nobody"); }
    });
}

}  // namespace

void print_idle(std::FILE* to, std::uint64_t capacity, std::chrono::milliseconds time,
                std::array<int, 2> cores) {
    const auto name = "bench-" + std::to_string(getpid()) + "-idle";
    fmt::print(to, "{:<34}{:>12}{:>12}{:>12}\n", "CPU while waiting", "CPU", "of one core",
               "wake-ups");
    using waiter =
        cpu_use (*)(const std::string&, std::uint64_t, std::chrono::milliseconds, wait_strategy);
    const auto measure_one = [&](const char* what, waiter waiting, wait_strategy wait) {
        team pair;
        pair.limit = time + std::chrono::seconds{10};
        pair.first = [&](side& me) {
            me.report(waiting(name, capacity, time, wait));
            me.meet();
        };
        // The other end is attached, and asleep.
        pair.second = [&](side& me) {
            const auto there = open(name, capacity);
            if (waiting == of_consumer) {
                const producer out{there};
                usleep(static_cast<useconds_t>(time.count() * 1000));
                me.meet();
            } else {
                const consumer in{there};
                usleep(static_cast<useconds_t>(time.count() * 1000));
                me.meet();
            }
        };
        struct remover {
            ~remover() { ring::remove(name); }
            const std::string& name;
        } const later{name};
        const auto used = run(pair, cores).report_of<cpu_use>(0);
        fmt::print(to, "{:<34}{:>12}{:>12}{:>12}\n", what,
                   fmt::format("{:.2f} ms", used.seconds * 1e3),
                   fmt::format("{:.3f} %", 100 * used.seconds / used.of_seconds), used.wake_ups);
    };
    measure_one("consumer, empty ring", of_consumer, wait_strategy::adaptive);
    measure_one("consumer, empty ring, block", of_consumer, wait_strategy::block);
    measure_one("producer, full ring", of_producer, wait_strategy::adaptive);
    measure_one("producer, full ring, block", of_producer, wait_strategy::block);
}

}  // namespace ringpipe::bench
