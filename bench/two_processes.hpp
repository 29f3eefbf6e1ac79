// Two processes, each on a core of its own, that share some memory and start together.
//
// They are forked from a parent that has opened no ring; each side opens what it needs itself.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <span>
#include <type_traits>

#include "bench/probe.hpp"

namespace ringpipe::bench {

struct shared_control;

// What one of the two sees of the pair.
class side {
  public:
    side(shared_control& control, std::span<std::byte> memory, int index)
        : control_{control}, memory_{memory}, index_{index} {}

    // The pair's memory, zeroed, at the same address on both sides.
    [[nodiscard]] std::byte* memory() const { return memory_.data(); }

    // Maps all of it into this process.
    void fault_in() const;

    // Both sides call it: probes the machine, runs both sides' `work` at the same time, probes
    // again.
    template <class Work>
    void measure(Work&& work) {
        probe(0);
        const auto before = preemptions_so_far();
        work();
        add_preemptions(preemptions_so_far() - before);
        probe(1);
    }

    // Waits, spinning, until the other side is here too.
    void meet();

    // Tells the parent. `What` is some plain struct; each side has one report.
    template <class What>
    void report(const What& what) {
        static_assert(std::is_trivially_copyable_v<What>);
        store_report(&what, sizeof what);
    }

  private:
    void probe(std::size_t which);
    [[nodiscard]] static long preemptions_so_far();
    void add_preemptions(long count);
    void store_report(const void* what, std::size_t size);

    shared_control& control_;
    std::span<std::byte> memory_;
    int index_;
};

struct pair_of_processes {
    std::function<void(side&)> first{};
    std::function<void(side&)> second{};
    std::size_t shared_bytes = 0;
    std::chrono::milliseconds limit{30'000};  // then both are killed
};

struct pair_outcome {
    double probe_before = 0;  // median round trip of two raw atomics, nanoseconds
    double probe_after = 0;
    long preemptions = 0;  // of both while they worked: somebody else wanted their cores
    std::array<std::array<std::byte, 256>, 2> reports{};

    template <class What>
    [[nodiscard]] What report_of(std::size_t index) const {
        What what;
        static_assert(sizeof what <= sizeof reports[0] && std::is_trivially_copyable_v<What>);
        std::memcpy(&what, reports[index].data(), sizeof what);
        return what;
    }
};

// The first two cores this process may run on. Throws std::runtime_error if there is only one.
[[nodiscard]] std::array<int, 2> default_cores();

// A signal told this program to stop; both processes are gone.
struct interrupted {
    int signal;
};

// Throws std::runtime_error with a side's own words if one fails, dies, or does not end in time;
// `interrupted` for SIGINT, SIGTERM and SIGHUP.
[[nodiscard]] pair_outcome run(const pair_of_processes& pair, std::array<int, 2> cores);

}  // namespace ringpipe::bench
