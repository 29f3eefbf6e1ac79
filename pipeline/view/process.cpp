#include "pipeline/view/process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace ringpipe::pipeline {
namespace {

std::optional<process_seen> read_stat(std::uint32_t pid) {
    std::ifstream file{fmt::format("/proc/{}/stat", pid)};
    std::string text;
    if (!std::getline(file, text)) { return std::nullopt; }
    // The second field is the program's name, in parentheses that it may itself contain.
    const auto behind_name = text.rfind(") ");
    if (behind_name == std::string::npos) { return std::nullopt; }
    std::istringstream fields{text.substr(behind_name + 2)};
    char state = 0;
    fields >> state;
    // proc(5): utime and stime are the fields 14 and 15, starttime is 22.
    std::uint64_t value = 0;
    std::uint64_t ticks = 0;
    process_seen seen;
    for (int field = 4; field <= 22 && fields >> value; ++field) {
        if (field == 14 || field == 15) { ticks += value; }
        if (field == 22) { seen.started = value; }
    }
    if (!fields) { return std::nullopt; }
    seen.stopped = state == 'T' || state == 't';
    seen.cpu_seconds = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return seen;
}

bool maps(std::uint32_t pid, const std::string& path) {
    std::ifstream file{fmt::format("/proc/{}/maps", pid)};
    for (std::string line; std::getline(file, line);) {
        if (line.ends_with(path)) { return true; }
    }
    return false;
}

}  // namespace

std::optional<process_seen> process_reader::read(std::uint32_t pid, const std::string& ring_path) {
    const auto seen = read_stat(pid);
    if (!seen) { return std::nullopt; }
    constexpr std::size_t most_known = 4096;
    if (known_.size() > most_known) { known_.clear(); }
    auto& [started, has_mapped] = known_[{pid, ring_path}];
    if (started != seen->started) {
        started = seen->started;
        has_mapped = maps(pid, ring_path);
    }
    return has_mapped ? seen : std::nullopt;
}

}  // namespace ringpipe::pipeline
