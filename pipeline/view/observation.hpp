// All rings, spaces and pools at one moment: what ls, top and metrics show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "pipeline/view/bridges.hpp"
#include "pipeline/view/process.hpp"
#include "pool/status.hpp"
#include "shm/status.hpp"
#include "sync/status.hpp"

namespace ringpipe::pipeline {

struct ring_seen {
    std::string name;
    ring_status status;
    std::string problem;                                 // why there is no status; else empty
    std::vector<std::optional<process_seen>> processes;  // of each of status.members
    std::uint64_t dead_letters = 0;                      // that wait in its dead-letter ring
    std::vector<bridge_seen> bridges = {};
};

struct space_seen {
    std::string name;
    sync::space_status status;
    std::string problem;                                 // why there is no status; else empty
    std::vector<std::optional<process_seen>> processes;  // of each of status.members

    // Of one of its members; null if it can't be seen.
    [[nodiscard]] const process_seen* process(std::uint32_t pid) const;
};

struct pool_seen {
    std::string name;
    pool::pool_outline outline;
    std::string problem;                                 // why there is no outline; else empty
    std::vector<std::optional<process_seen>> processes;  // of each of outline.status.workers
};

struct observation {
    clock::time_point at = {};
    std::vector<ring_seen> rings = {};
    std::vector<space_seen> spaces = {};
    std::vector<pool_seen> pools = {};
};

// Takes no lock and writes nothing: no sender is slower for it. One thread at a time.
class observer {
  public:
    // What has these names; all of /dev/shm if there are none.
    explicit observer(std::vector<std::string> names = {}) : only_{std::move(names)} {}

    // What is gone is not in it. A name that nothing has is a ring with that problem.
    [[nodiscard]] observation look();

    // Nothing if there is none of that name.
    [[nodiscard]] std::optional<ring_seen> look_at_ring(const std::string& name);
    [[nodiscard]] std::optional<space_seen> look_at_space(const std::string& name);
    [[nodiscard]] std::optional<pool_seen> look_at_pool(const std::string& name);

  private:
    std::vector<std::string> only_;
    process_reader processes_;
};

}  // namespace ringpipe::pipeline
