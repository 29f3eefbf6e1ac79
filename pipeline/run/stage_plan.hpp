// What one stage comes to: its copies, and what stands before and behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/framing.hpp"
#include "pipeline/run/plan.hpp"

namespace ringpipe::pipeline {

inline constexpr unsigned most_copies = 100;
inline constexpr unsigned default_restarts = 3;

struct stage_plan {
    std::string label;  // "stage 2"
    std::string key;    // in the names of its own rings: "2"
    std::string command;
    unsigned copies = 1;
    bool counted = false;  // "1x CMD" is, "CMD" is not
    bool lockstep = false;
    bool keep_order = false;
    framing frame = {};
    std::optional<std::uint64_t> block = {};
    std::optional<std::uint64_t> capacity = {};  // of its own rings
    unsigned restarts = 0;
    std::optional<std::size_t> from = {};
    std::string group = "default";
    std::optional<std::size_t> to = {};
    bool merged = false;  // other stages write to the same ring
    bool has_input = true;
    std::vector<std::string> environment = {};
    std::string directory = {};
};

// Copies that read the standard input, or write the standard output, get a ring of their own and one
// process that does it for all of them.
void add_stage(run_plan& plan, const stage_plan& what);

}  // namespace ringpipe::pipeline
