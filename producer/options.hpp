// The command line of ringpipe-producer, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/framing.hpp"
#include "common/generate.hpp"
#include "producer/pacer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::producer_program {

inline constexpr std::string_view program_name = "ringpipe-producer";

struct options {
    std::string ring;
    std::vector<std::string> files;  // never empty; "-" is standard input

    ringpipe::framing framing;
    std::optional<generate_options> generate;  // instead of files
    std::optional<ringpipe::rate> rate;
    std::optional<std::uint64_t> count;  // send so many at most
    std::string resume;                  // a name under which it can be killed and started again

    ring_options creation;
    std::vector<std::string> groups;  // durable, made before the first message
    wait_strategy wait = wait_strategy::adaptive;

    bool progress = false;
    bool stats = false;
};

// Nothing: --help or --version was asked for, and is answered. Throws error(invalid_argument).
[[nodiscard]] std::optional<options> parse_options(int argc, const char* const* argv);

}  // namespace ringpipe::producer_program
