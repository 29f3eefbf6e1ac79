// What flows through a run, on one line of the terminal.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "pipeline/run/bottom_line.hpp"
#include "pipeline/run/links.hpp"
#include "pipeline/run/plan.hpp"
#include "pipeline/view/flow.hpp"

namespace ringpipe::pipeline {

// Of each stage how full the ring before it is, how many copies are at work, the messages that they
// take (a source: sends) per second, and which one is the bottleneck. `copies`: of each part;
// both observations have the plan's rings in their order. ASCII, not longer than `width`.
[[nodiscard]] std::string view_line(const run_plan& plan, const std::vector<std::size_t>& copies,
                                    const observation& before, const observation& now,
                                    std::size_t width);

// On standard error, twice a second, if it is a terminal. Nobody who sends is slower for it.
class run_view {
  public:
    run_view(const run_plan& plan, const links& rings) : plan_{plan}, links_{rings} {}

    [[nodiscard]] bool is_due() const noexcept { return clock::now() >= due_; }
    void draw(const std::vector<std::size_t>& copies);

  private:
    [[nodiscard]] observation look() const;

    const run_plan& plan_;
    const links& links_;
    bottom_line line_{STDERR_FILENO};
    deadline due_ = clock::now();
    observation before_;
};

}  // namespace ringpipe::pipeline
