// Puts together the messages that were too large for the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "bridge/wire.hpp"

namespace ringpipe::bridge {

// Parts of several sources may be mixed; those of one message come in their order.
class joiner {
  public:
    // A part, and where in the stream it is. The whole payload if it was the last one. A part whose
    // predecessors are missing (the stream has discarded them) is left out, and counted if `counts`.
    [[nodiscard]] std::optional<std::vector<std::byte>> add(const envelope& about,
                                                            std::span<const std::byte> part,
                                                            std::uint64_t place, bool counts);

    // What began before `place` and is not whole will not be any more: it is left out, and counted.
    void give_up_before(std::uint64_t place);

    // Held, and so not to be acknowledged yet.
    [[nodiscard]] bool holds(std::uint64_t place) const { return held_.contains(place); }

    // All before it may be acknowledged.
    [[nodiscard]] std::uint64_t first_held() const {
        return held_.empty() ? std::numeric_limits<std::uint64_t>::max() : *held_.begin();
    }

    [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  private:
    struct partial {
        std::uint64_t sequence = 0;
        std::uint32_t next = 0;
        std::vector<std::byte> payload;
        std::vector<std::uint64_t> places;
    };
    void let_go(const partial& one);

    std::map<std::string, partial> by_source_;
    std::set<std::uint64_t> held_;
    std::uint64_t left_out_ = 0;
};

}  // namespace ringpipe::bridge
