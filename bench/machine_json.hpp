// The machine, as every --json of a benchmark tells it.
#pragma once

#include <nlohmann/json.hpp>

#include "bench/machine.hpp"

namespace ringpipe::bench {

[[nodiscard]] inline nlohmann::ordered_json as_json(const machine& where) {
    return {{"processor", where.processor},
            {"caches", where.caches},
            {"cores", where.cores},
            {"cores_online", where.cores_online},
            {"kernel", where.kernel},
            {"compiler", where.compiler},
            {"load", where.load}};
}

}  // namespace ringpipe::bench
