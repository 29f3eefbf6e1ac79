// What the launcher tells one copy of a stage.
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

#include "common/framing.hpp"

namespace ringpipe::pipeline::stage {

// A copy of several ends itself with this signal if it had nothing to say: it got no line, or its
// filter ended as grep does that finds none, with 1 and without a word. In a pipe of one copy that
// is the exit code; here it counts only if all copies end so. No exit code could tell it, since
// those are the filter's.
[[nodiscard]] inline int nothing_found() { return SIGRTMIN; }

struct options {
    std::string label;                // as messages call it: "stage 2", "stage 2.1"
    std::optional<std::string> from;  // the ring before it; none: standard input
    std::string group = "default";    // of the ring before it
    std::optional<std::string> to;    // the ring behind it; none: standard output
    std::string command;              // for /bin/sh -c; empty: bytes only pass
    bool lockstep = false;            // one answer for each line
    bool merge = false;               // no command: the answers of a stage, from its ring
    bool numbered = false;            // the answers carry the number of their question
    bool keep_order = false;          // by that number
    std::string questions = {};       // with keep_order: the ring before the stage
    std::string passed = {};          // a group of it: those whose answers have passed
    bool resumable = false;           // a source skips what it has sent, a merge what has passed
    bool whole_lines = false;         // ends the last line if the command didn't
    bool one_of_many = false;         // other copies do the same
    bool when_needed = false;         // starts the command with the first message, if one comes
    framing frame = {};               // what the command reads and writes
    std::uint64_t block = std::uint64_t{64} << 10U;  // bytes of lines in one message
};

}  // namespace ringpipe::pipeline::stage
