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

sample run_team(const cell& of, const round_options& options) {
    const auto outcome = run(of.processes, options.cores);
    const std::span<const double> used{outcome.cpu_seconds};
    return {.probe_before = outcome.probe_before,
            .probe_after = outcome.probe_after,
            .preemptions = outcome.preemptions,
            .cpu_of_senders = total(used.first(of.senders)),
            .cpu_of_receivers = total(used.subspan(of.senders)),
            .got = of.judge(outcome)};
}

double probe_alone(const round_options& options) {
    team nobody;
    nobody.first = nobody.second = [](side& me) { me.measure([] {}); };
    return run(nobody, options.cores).probe_after;
}

sample run_alone(const cell& of, const round_options& options) {
    sample made{.probe_before = probe_alone(options)};
    made.got = of.alone();
    made.probe_after = probe_alone(options);
    return made;
}

sample run_once(const cell& of, const round_options& options) {
    const clean_up_later later{of};
    if (of.prepare) { of.prepare(); }
    auto made = of.alone ? run_alone(of, options) : run_team(of, options);
    if (made.got.verified == 0) { throw std::runtime_error("no message was checked"); }
    made.in = regime_of(made.probe_before, made.probe_after, options.far_above_ns);
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
