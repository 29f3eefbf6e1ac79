// All rings at one moment: what ls, top and metrics show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "pipeline/view/bridges.hpp"
#include "pipeline/view/process.hpp"
#include "shm/status.hpp"

namespace ringpipe::pipeline {

struct ring_seen {
    std::string name;
    ring_status status;
    std::string problem;                                 // why there is no status; else empty
    std::vector<std::optional<process_seen>> processes;  // of each of status.members
    std::uint64_t dead_letters = 0;                      // that wait in its dead-letter ring
    std::vector<bridge_seen> bridges = {};
};

struct observation {
    clock::time_point at;
    std::vector<ring_seen> rings;
};

// Takes no lock and writes nothing: no sender is slower for it. One thread at a time.
class observer {
  public:
    // These rings; all of /dev/shm if there are none.
    explicit observer(std::vector<std::string> rings = {}) : only_{std::move(rings)} {}

    // A ring that is gone is not in it, unless it was asked for by name: then that is its problem.
    [[nodiscard]] observation look();

  private:
    std::vector<std::string> only_;
    process_reader processes_;
};

}  // namespace ringpipe::pipeline
