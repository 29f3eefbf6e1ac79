#include "bench/machine.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace ringpipe::bench {

namespace {

std::string first_line_of(const std::string& path) {
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    return line;
}

std::string processor_name() {
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "unknown processor";
}

std::string cache_sizes(int core) {
    std::string sizes;
    for (int index = 0;; ++index) {
        const auto folder =
            fmt::format("/sys/devices/system/cpu/cpu{}/cache/index{}/", core, index);
        const auto level = first_line_of(folder + "level");
        if (level.empty()) { return sizes; }
        if (first_line_of(folder + "type") == "Instruction") { continue; }
        sizes += fmt::format("{}L{} {}", sizes.empty() ? "" : ", ", level,
                             first_line_of(folder + "size"));
    }
}

std::string compiler_name() {
#if defined(__clang__)
    std::string name = fmt::format("Clang {}", __clang_version__);
#else
    std::string name = fmt::format("GCC {}", __VERSION__);
#endif
#if !defined(NDEBUG)
    name += " (not a release build!)";
#endif
    return name;
}

}  // namespace

machine describe_machine(std::array<int, 2> cores) {
    utsname kernel{};
    uname(&kernel);
    double load = 0;
    if (getloadavg(&load, 1) != 1) { load = 0; }
    return {processor_name(),
            cache_sizes(cores[0]),
            cores,
            sysconf(_SC_NPROCESSORS_ONLN),
            fmt::format("{} {}", kernel.sysname, kernel.release),
            compiler_name(),
            load};
}

std::string to_string(const machine& described) {
    return fmt::format("{}, {}, cores {} and {} of {}; {}, {}, load {:.1f}", described.processor,
                       described.caches, described.cores[0], described.cores[1],
                       described.cores_online, described.kernel, described.compiler,
                       described.load);
}

}  // namespace ringpipe::bench
