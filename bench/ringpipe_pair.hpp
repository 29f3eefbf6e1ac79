// Two processes joined by rings: what the cells about ringpipe are made of.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

#include "bench/cell.hpp"
#include "bench/messages.hpp"
#include "bench/stream.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::bench {

using ring_sender = std::function<void(producer&, const stream_plan&)>;
using ring_receiver = std::function<void(consumer&, message_checker&)>;

// One that no other benchmark has.
[[nodiscard]] std::string ring_name(const char* which);

[[nodiscard]] ring ring_for(const settings& how, const std::string& name);

template <class Options>
[[nodiscard]] Options waiting(wait_strategy wait) {
    Options options;
    options.wait = wait;
    return options;
}

// Throws std::runtime_error if it is none.
inline void expect(const message& received) {
    if (!received) { throw std::runtime_error("the stream ended too early"); }
}

void send_each(producer& to, const stream_plan& plan);
void receive_each(consumer& from, message_checker& check);

[[nodiscard]] cell stream_through_ring(const settings& how, std::size_t size,
                                       const std::string& what, const ring_sender& send,
                                       const ring_receiver& receive,
                                       wait_strategy wait = wait_strategy::adaptive);

// Through one ring there and through another one back, with a pause between two trips.
[[nodiscard]] cell trips_through_rings(const settings& how, const std::string& what,
                                       wait_strategy wait, std::chrono::nanoseconds pause = {});

}  // namespace ringpipe::bench
