// Where the figures come from.
#pragma once

#include <array>
#include <string>

namespace ringpipe::bench {

struct machine {
    std::string processor;
    std::string caches;
    std::array<int, 2> cores{};
    long cores_online = 0;
    std::string kernel;
    std::string compiler;
    double load = 0;  // average of the last minute: above 0.5 or so, someone disturbs us
};

[[nodiscard]] machine describe_machine(std::array<int, 2> cores);

// "AMD EPYC, L2 1024K, L3 32768K, cores 0 and 1 of 2; Linux 6.18, GCC 12.2.0, load 0.1"
[[nodiscard]] std::string to_string(const machine& described);

}  // namespace ringpipe::bench
