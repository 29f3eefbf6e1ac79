// The rings and processes of a run, whatever they were written as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ringpipe::pipeline {

struct ring_plan {
    std::string name;  // behind the run's own
    std::optional<std::uint64_t> capacity = {};
    std::optional<unsigned> mode = {};
    bool made_again = false;  // at a resume: what it held is sent once more
};

// A stage, or what is put before or behind its copies: `copies` times `ringpipe stage OPTIONS`.
struct part {
    std::string label;               // "stage 2"
    std::string text;                // "4x CMD"; empty for what is not the user's
    std::vector<std::string> words;  // the options for ringpipe stage, but for label and rings
    unsigned copies = 1;
    unsigned restarts = 0;                 // of each copy
    bool exact = false;                    // a restart loses nothing
    std::optional<std::size_t> from = {};  // the number of a ring; none: standard input
    std::string group = "default";         // of that ring
    std::optional<std::size_t> to = {};    // none: standard output
    // A merge that answers in order: where the questions stand until their answers have passed.
    std::optional<std::size_t> questions = {};
    std::string passed = {};   // a group of that ring, of the merge alone
    bool asks_again = false;   // at a resume: its group begins with the oldest question
    bool whole_lines = false;  // others write there, too: the last line is ended
    bool has_input = true;     // the run's standard input, if from is none
    std::vector<std::string> environment = {};  // "NAME=VALUE", besides ours
    std::string directory = {};                 // empty: ours
    std::string bridge = {};                    // the address of its stream; empty: a stage
};

// Whether there may be more or less of it while it runs: not if it reads the standard input or
// writes the standard output itself, and not what joins copies.
[[nodiscard]] inline bool may_be_scaled(const part& what) {
    return !what.text.empty() && what.from && what.to;
}

struct run_plan {
    std::vector<ring_plan> rings;
    std::vector<part> parts;
    std::string name = {};  // before its rings' names; empty: the run cannot be resumed
    bool resume = false;
    bool view = false;     // a line on the terminal of what flows
    bool summary = false;  // a line for each stage at the end
};

}  // namespace ringpipe::pipeline
