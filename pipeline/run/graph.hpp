// Whether the rings and stages of a file fit together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/run/stage_plan.hpp"

namespace ringpipe::pipeline {

// Lines of the file.
struct ring_uses {
    std::uint32_t line = 0;  // where it is first spoken of
    std::vector<std::uint32_t> writers = {};
    std::vector<std::uint32_t> readers = {};
};

// Throws error(malformed_input) for a ring that nobody writes or reads, and for a cycle: its stages
// would wait for each other's end for ever. `uses` are those of the first of `rings`.
void check_graph(const std::vector<ring_plan>& rings, const std::vector<stage_plan>& stages,
                 const std::vector<ring_uses>& uses, const std::string& path);

}  // namespace ringpipe::pipeline
