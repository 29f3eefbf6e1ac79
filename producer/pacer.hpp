// Keeps a sender to a rate.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/deadline.hpp"

namespace ringpipe {

struct rate {
    enum class unit { messages, bytes };

    double per_second = 0;
    unit of = unit::messages;
};

// "1000", "10k": messages; "64KiB", "1MB", "1MB/s": bytes, as it ends with B.
// Throws error(invalid_argument).
[[nodiscard]] rate parse_rate(std::string_view text);

class pacer {
  public:
    explicit pacer(rate limit) : limit_{limit}, due_{clock::now()} {}

    // When the next message may go.
    [[nodiscard]] deadline due() const { return due_; }

    // How many messages, or bytes, are sent in one go: as many as go in 10 ms, at least one.
    [[nodiscard]] std::uint64_t burst() const;
    [[nodiscard]] rate::unit unit() const { return limit_.of; }

    // These were sent. Who was held up (by a full ring, say) may catch up 100 ms, no more.
    void sent(std::uint64_t messages, std::uint64_t bytes);

  private:
    rate limit_;
    deadline due_;
};

}  // namespace ringpipe
