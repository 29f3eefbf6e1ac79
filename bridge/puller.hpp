// Fetches from a durable consumer, and acknowledges.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/connection.hpp"

namespace ringpipe::bridge {

// One thread at a time. cnats has natsSubscription_Fetch() for this; that one writes behind the end
// of its list when messages of an earlier, interrupted fetch come on top of those it asked for
// (3.4, seen by AddressSanitizer when a server came back).
class puller {
  public:
    puller(const connection& over, const std::string& stream, const std::string& consumer,
           int batch);

    // What is at hand, at most a batch; waits for at most `timeout` if there is none. An empty
    // `into` with an empty reason: nothing came; else why nothing can come. `into` is what the last
    // call gave: many, but few for a batch, are a flood that is left to gather for a moment.
    std::string fetch(std::vector<message_handle>& into, std::chrono::milliseconds timeout);

    // To the subject that a message asks for it at. If it is lost, the message comes again.
    void acknowledge(const char* reply) const;

  private:
    using steady = std::chrono::steady_clock;
    void ask();

    const connection& over_;
    int batch_;
    std::string subject_;  // of the requests
    std::string inbox_;
    handle<natsSubscription, natsSubscription_Destroy> from_;
    int owed_ = 0;  // messages that were asked for, and may come
    steady::time_point until_;
};

// Where a delivery stands.
struct delivery_place {
    std::uint64_t sequence = 0;  // in the stream
    std::uint64_t delivery = 0;  // the consumer's count of deliveries
};

// From the subject that its acknowledgement goes to; nothing if it is none of JetStream's.
[[nodiscard]] std::optional<delivery_place> place_in(std::string_view reply);

}  // namespace ringpipe::bridge
