// Checks that several receivers together got every message of several senders exactly once.
#pragma once

#include <array>
#include <cstdint>

#include "bench/cell.hpp"
#include "bench/messages.hpp"
#include "bench/team.hpp"

namespace ringpipe::bench {

inline constexpr std::size_t most_senders = 8;

struct sent_by_one {
    std::uint64_t count = 0;
};

// Numbers 0 to n - 1, each once, have this count and this sum of hashes, and hardly anything else
// has.
struct number_set {
    std::uint64_t count = 0;
    std::uint64_t hashes = 0;

    void add(std::uint64_t number) {
        ++count;
        hashes += hash(number);
    }
    bool operator==(const number_set&) const = default;

    // Odd products: so cheap that it does not show beside reading the message.
    static std::uint64_t hash(std::uint64_t number) {
        const auto mixed = (number + 1) * 0x9e3779b97f4a7c15U;
        return (mixed ^ (mixed >> 32U)) * 0xd6e8feb86659fd93U;
    }
    static number_set up_to(std::uint64_t count) {
        number_set all;
        for (std::uint64_t number = 0; number < count; ++number) { all.add(number); }
        return all;
    }
};

// What one receiver has got, of each sender.
struct share {
    std::array<number_set, most_senders> of{};
    std::uint64_t counted = 0;  // behind the warm-up
    std::uint64_t started = 0;  // ticks; 0: it got nothing
    std::uint64_t ended = 0;
};

// Throws std::runtime_error at a message that is damaged, or comes before an earlier one of the
// same sender.
class share_checker {
  public:
    share_checker(std::size_t size, std::size_t senders, std::uint64_t warm_up)
        : size_{size},
          senders_{senders},
          sum_of_pattern_{messages{size}.sum_of_pattern()},
          warm_up_{warm_up} {}

    void operator()(bytes message);

    [[nodiscard]] std::uint64_t verified() const { return verified_; }
    [[nodiscard]] const share& result() const { return share_; }

  private:
    std::size_t size_;
    std::size_t senders_;
    std::uint64_t sum_of_pattern_;
    std::uint64_t warm_up_;
    std::uint64_t verified_ = 0;
    std::array<std::uint64_t, most_senders> next_{};
    share share_;
};

// Reports of senders (sent_by_one) and receivers (share) as one figure: messages per second that
// were sent, not those delivered to several groups. Throws std::runtime_error if one is missing.
[[nodiscard]] measurement judge_exactly_once(const team_outcome& outcome, std::size_t senders,
                                             std::size_t receivers, std::size_t groups,
                                             std::size_t message_size);

}  // namespace ringpipe::bench
