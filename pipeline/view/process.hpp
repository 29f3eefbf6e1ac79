// What /proc tells about a member's process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace ringpipe::pipeline {

struct process_seen {
    bool stopped = false;       // SIGSTOP, or a debugger
    double cpu_seconds = 0;     // user and system, all its threads
    std::uint64_t started = 0;  // to tell it from a later one of the same number

    bool operator==(const process_seen&) const = default;
};

// A member's pid is as its own PID namespace numbers it, and may mean another process here. So a
// process counts only if it has the ring's file mapped.
class process_reader {
  public:
    // Nothing: it is gone, it is not the member, or it is not ours to look at.
    [[nodiscard]] std::optional<process_seen> read(std::uint32_t pid, const std::string& ring_path);

  private:
    using key = std::pair<std::uint32_t, std::string>;
    struct verdict {
        std::uint64_t started = 0;
        bool has_mapped = false;
    };
    std::map<key, verdict> known_;  // the look at all its mappings is made once
};

}  // namespace ringpipe::pipeline
