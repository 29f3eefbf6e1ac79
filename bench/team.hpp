// Two processes, each on a core of its own, or more of them on the same two cores, that share some
// memory and start together.
//
// They are forked from a parent that has opened no ring; each opens what it needs itself.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "bench/probe.hpp"

namespace ringpipe::bench {

struct shared_control;

// What one of them sees of the team.
class side {
  public:
    side(shared_control& control, std::span<std::byte> memory, std::size_t index,
         std::array<int, 2> cores)
        : control_{control}, memory_{memory}, index_{index}, cores_{cores} {}

    // The team's memory, zeroed, at the same address in all of them.
    [[nodiscard]] std::byte* memory() const { return memory_.data(); }

    [[nodiscard]] std::array<int, 2> cores() const { return cores_; }

    // Maps all of it into this process.
    void fault_in() const;

    // All of them call it: probes the machine, runs everybody's `work` at the same time, probes
    // again.
    template <class Work>
    void measure(Work&& work) {
        probe(0);
        const auto before = used_so_far();
        work();
        add_use(before, used_so_far());
        probe(1);
    }

    // Waits until all of them are here.
    void meet();

    // On its core, or on both: see team::has_own_cores().
    void take_place() const;

    // Runs it where both cores are allowed, for libraries that start threads.
    template <class Work>
    auto on_both_cores(Work&& work) const {
        struct back {
            ~back() { me.take_place(); }
            const side& me;
        } const later{*this};
        run_on_both();
        return work();
    }

    // Tells the parent. `What` is some plain struct; each of them has one report.
    template <class What>
    void report(const What& what) {
        static_assert(std::is_trivially_copyable_v<What>);
        store_report(&what, sizeof what);
    }

  private:
    struct use {
        long preemptions = 0;
        double cpu_seconds = 0;  // of all threads and ended children, in user and system mode
    };

    void probe(std::size_t which);
    void run_on_both() const;
    [[nodiscard]] static use used_so_far();
    void add_use(const use& before, const use& after);
    void store_report(const void* what, std::size_t size);

    shared_control& control_;
    std::span<std::byte> memory_;
    std::size_t index_;
    std::array<int, 2> cores_;
};

inline constexpr std::size_t most_members = 40;

struct team {
    using work = std::function<void(side&)>;

    work first{};
    work second{};
    std::vector<work> others{};
    std::size_t shared_bytes = 0;
    std::chrono::milliseconds limit{30'000};  // then all are killed
    bool share_cores = false;                 // even two of them: they start other processes

    // Two have a core each, and spin until the other is there. More would only keep each other from
    // arriving: they may run on both cores, and sleep.
    [[nodiscard]] bool has_own_cores() const { return others.empty() && !share_cores; }
    [[nodiscard]] std::size_t size() const { return 2 + others.size(); }
    [[nodiscard]] const work& member(std::size_t index) const {
        return index == 0 ? first : index == 1 ? second : others.at(index - 2);
    }
};

struct team_outcome {
    using report = std::array<std::byte, 256>;

    double probe_before = 0;  // median round trip of two raw atomics, nanoseconds
    double probe_after = 0;
    long preemptions = 0;  // of all while they worked: somebody else wanted their cores
    std::vector<double> cpu_seconds{};  // of each while it worked
    std::vector<report> reports{};

    template <class What>
    [[nodiscard]] What report_of(std::size_t index) const {
        What what;
        static_assert(sizeof what <= sizeof(report) && std::is_trivially_copyable_v<What>);
        std::memcpy(&what, reports.at(index).data(), sizeof what);
        return what;
    }
};

// The first two cores this process may run on. Throws std::runtime_error if there is only one.
[[nodiscard]] std::array<int, 2> default_cores();

// A signal told this program to stop; all processes are gone.
struct interrupted {
    int signal;
};

// Throws std::runtime_error with a member's own words if one fails, dies, or does not end in time;
// `interrupted` for SIGINT, SIGTERM and SIGHUP.
[[nodiscard]] team_outcome run(const team& of, std::array<int, 2> cores);

}  // namespace ringpipe::bench
