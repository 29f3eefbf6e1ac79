#include "bench/rounds.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>

namespace ringpipe::bench {

namespace {

// Runs when the pair is gone, however it went.
class clean_up_later {
  public:
    explicit clean_up_later(const cell& of) : of_{of} {}
    ~clean_up_later() {
        try {
            of_.clean_up();
        } catch (const std::exception& problem) {
            fmt::print(stderr, "ringpipe_bench: {}: {}\n", of_.name, problem.what());
        }
    }
    clean_up_later(const clean_up_later&) = delete;
    clean_up_later& operator=(const clean_up_later&) = delete;

  private:
    const cell& of_;
};

double total(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

sample run_once(const cell& of, const round_options& options) {
    const clean_up_later later{of};
    if (of.prepare) { of.prepare(); }
    const auto outcome = run(of.processes, options.cores);
    const std::span<const double> used{outcome.cpu_seconds};
    sample made{.probe_before = outcome.probe_before,
                .probe_after = outcome.probe_after,
                .in = regime_of(outcome.probe_before, outcome.probe_after, options.far_above_ns),
                .preemptions = outcome.preemptions,
                .cpu_of_senders = total(used.first(of.senders)),
                .cpu_of_receivers = total(used.subspan(of.senders)),
                .got = of.judge(outcome)};
    if (made.got.verified == 0) { throw std::runtime_error("no message was checked"); }
    return made;
}

}  // namespace

std::vector<row> run_rounds(std::vector<cell> cells, const round_options& options) {
    std::vector<row> rows;
    for (auto& one : cells) { rows.push_back({std::move(one)}); }
    for (int round = 1; round <= options.rounds; ++round) {
        for (auto& [of, samples, failure] : rows) {
            if (!failure.empty() || !of.left_out.empty()) { continue; }
            if (options.progress) {
                fmt::print(stderr, "\r\033[Kround {} of {}: {}", round, options.rounds, of.name);
            }
            try {
                samples.push_back(run_once(of, options));
                samples.back().round = round;
            } catch (const std::exception& problem) { failure = problem.what(); }
        }
    }
    if (options.progress) { fmt::print(stderr, "\r\033[K"); }
    return rows;
}

}  // namespace ringpipe::bench
