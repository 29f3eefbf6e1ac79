// Any load with the same default settings: the adaptive wait beside the two fixed ones.
#include <array>

#include "bench/ringpipe_pair.hpp"

namespace ringpipe::bench {

namespace {

struct strategy {
    wait_strategy wait;
    const char* name;
};
constexpr std::array<strategy, 3> strategies{{{wait_strategy::adaptive, "adaptive (default)"},
                                              {wait_strategy::spin, "spin"},
                                              {wait_strategy::block, "block"}}};

}  // namespace

std::vector<cell> waiting_cells(const settings& how) {
    using namespace std::chrono_literals;
    std::vector<cell> cells;
    const auto add = [&](cell one, const std::string& load, const char* name) {
        one.name = "ringpipe, " + load + ", " + name;
        one.section = "default and fixed waits: " + load;
        one.subject = std::string{"ringpipe, "} + name;
        cells.push_back(std::move(one));
    };
    for (const auto& [wait, name] : strategies) {
        add(stream_through_ring(how, 64, "", send_each, receive_each, wait), "flood, 64 B", name);
    }
    for (const auto& [wait, name] : strategies) {
        add(trips_through_rings(how, "", wait), "ping-pong", name);
    }
    for (const auto& [wait, name] : strategies) {
        add(trips_through_rings(how, "", wait, 20us), "ping-pong, one per 20 us", name);
    }
    for (const auto& [wait, name] : strategies) {
        add(trips_through_rings(how, "", wait, 1ms), "ping-pong, one per ms", name);
    }
    return cells;
}

}  // namespace ringpipe::bench
