// Sends messages as fast as they go, for some time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bench/messages.hpp"
#include "bench/ticks.hpp"

namespace ringpipe::bench {

struct stream_plan {
    std::size_t message_size = 0;
    std::uint64_t warm_up = 0;  // messages: so many that all memory has been touched
    std::chrono::nanoseconds time{};
    std::uint64_t origin = 0;  // which of several senders
};

// Calls send(bytes) for message 0, 1, 2, ... until the time is over; the last one is marked.
template <class Send>
void send_stream(const stream_plan& plan, Send&& send) {
    messages next{plan.message_size, plan.origin};
    // A power of two: the clock is looked at every 64 KiB or so.
    const std::uint64_t between_looks = plan.message_size < 65536 ? 65536 / plan.message_size : 1;
    std::uint64_t over_at = ~std::uint64_t{0};
    bool last = false;
    for (std::uint64_t number = 0; !last; ++number) {
        if ((number & (between_looks - 1)) == 0) [[unlikely]] {
            const auto now = ticks();
            if (number >= plan.warm_up && over_at == ~std::uint64_t{0}) {
                over_at = now + ticks_in(plan.time);
            }
            last = now >= over_at;
        }
        send(next(number, last));
    }
}

// As send_stream, with runs of messages: send(std::span<const bytes>).
template <class Send>
void send_stream_in_batches(const stream_plan& plan, std::size_t batch, Send&& send) {
    messages next{plan.message_size, plan.origin, batch};
    std::vector<bytes> run(batch);
    std::uint64_t over_at = ~std::uint64_t{0};
    bool last = false;
    for (std::uint64_t number = 0; !last; number += batch) {
        const auto now = ticks();
        if (number >= plan.warm_up && over_at == ~std::uint64_t{0}) {
            over_at = now + ticks_in(plan.time);
        }
        last = now >= over_at;
        for (std::size_t i = 0; i < batch; ++i) {
            run[i] = next(number + i, last && i + 1 == batch);
        }
        send(std::span<const bytes>{run});
    }
}

}  // namespace ringpipe::bench
