// ringpipe itself, through its public headers only.
#include "bench/ringpipe_pair.hpp"

namespace ringpipe::bench {

namespace {

void send_batches(producer& to, const stream_plan& plan) {
    send_stream_in_batches(plan, 64, [&](std::span<const bytes> batch) { to.send_batch(batch); });
}

void build_in_place(producer& to, const stream_plan& plan) {
    send_stream(plan, [&](bytes message) {
        auto place = to.lend(message.size());
        std::memcpy(place.payload().data(), message.data(), message.size());
        place.commit();
    });
}

}  // namespace

std::vector<cell> ringpipe_cells(const settings& how) {
    std::vector<cell> cells;
    for (const auto size : how.sizes) {
        if (4 * size > how.capacity) { continue; }
        cells.push_back(stream_through_ring(how, size, "", send_each, receive_each));
        if (size == 64) { cells.back().also = {by_processes, "ringpipe, 1 to 1"}; }
        if (size <= 1024) {
            cells.push_back(
                stream_through_ring(how, size, ", batches of 64", send_batches, receive_each));
        }
        if (size >= 65536) {
            cells.push_back(
                stream_through_ring(how, size, ", loans", build_in_place, receive_each));
        }
    }
    cells.push_back(trips_through_rings(how, ", spin", wait_strategy::spin));
    cells.push_back(trips_through_rings(how, "", wait_strategy::adaptive));
    cells.push_back(trips_through_rings(how, ", block", wait_strategy::block));
    return cells;
}

}  // namespace ringpipe::bench
