// `ringpipe run 'A' '4x B' 'C'`: what the user writes, and the processes and rings it comes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/framing.hpp"

namespace ringpipe::pipeline {

struct stage_text {
    std::string command;
    unsigned copies = 1;
    bool counted = false;  // "1x CMD" is, "CMD" is not
};

// "4x CMD" or "CMD". Throws error(invalid_argument).
[[nodiscard]] stage_text parse_stage(std::string_view text);

struct stages_plan {
    std::vector<stage_text> stages;
    bool lockstep = false;  // of the counted ones
    bool keep_order = false;
    unsigned restarts = 3;                       // of each lockstep copy
    std::optional<std::uint64_t> capacity = {};  // of each ring
    std::optional<std::uint64_t> block = {};     // bytes of lines in a message
    framing frame = {};                          // what the stages read and write
    bool summary = false;                        // a line for each stage at the end
};

// A stage, or what is put between two stages, as processes: `copies` times `ringpipe stage OPTIONS`.
struct part {
    std::string label;               // "stage 2"; "" for what is not the user's
    std::string text;                // "4x CMD"
    std::vector<std::string> words;  // the options for ringpipe stage, but for label and rings
    unsigned copies = 1;
    bool restartable = false;
    std::optional<std::size_t> from = {};  // the number of a ring; none: standard input
    std::optional<std::size_t> to = {};    // none: standard output
};

// Each part reads the ring that the part before it fills.
[[nodiscard]] std::vector<part> parts_of(const stages_plan& plan);

}  // namespace ringpipe::pipeline
