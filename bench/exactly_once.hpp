// Checks that several receivers together got every message of several senders exactly once.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

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

inline void share_checker::operator()(bytes message) {
    std::uint64_t word = 0;
    if (message.size() != size_) { throw std::runtime_error("a message has another size"); }
    std::memcpy(&word, message.data(), sizeof word);
    if (sum_of_words(message) != sum_of_pattern_ + word) {
        throw std::runtime_error("a message is damaged");
    }
    const auto unmarked = word & ~last_mark;
    const auto sender = unmarked >> origin_shift;
    const auto number = unmarked & ((std::uint64_t{1} << origin_shift) - 1);
    if (sender >= senders_) { throw std::runtime_error("a message of nobody"); }
    if (number < next_[sender]) {
        throw std::runtime_error("message " + std::to_string(number) + " came behind " +
                                 std::to_string(next_[sender] - 1));
    }
    next_[sender] = number + 1;
    share_.of[sender].add(number);
    ++verified_;
    if (number < warm_up_) { return; }
    const bool look = share_.started == 0 || (share_.counted & 15U) == 0 || word != unmarked;
    ++share_.counted;
    if (look) {
        share_.ended = ticks();
        if (share_.started == 0) { share_.started = share_.ended; }
    }
}

// Reports of senders (sent_by_one) and receivers (share) as one figure: messages per second that
// were sent, not those delivered to several groups. Throws std::runtime_error if one is missing.
[[nodiscard]] inline measurement judge_exactly_once(const team_outcome& outcome,
                                                    std::size_t senders, std::size_t receivers,
                                                    std::size_t groups, std::size_t message_size) {
    std::vector<share> shares;
    for (std::size_t i = 0; i < receivers; ++i) {
        shares.push_back(outcome.report_of<share>(senders + i));
    }
    measurement all{.here = true};
    for (std::size_t sender = 0; sender < senders; ++sender) {
        const auto sent = number_set::up_to(outcome.report_of<sent_by_one>(sender).count);
        for (std::size_t group = 0; group < groups; ++group) {
            number_set got;
            for (std::size_t i = group; i < receivers; i += groups) {
                got.count += shares[i].of.at(sender).count;
                got.hashes += shares[i].of.at(sender).hashes;
            }
            if (got != sent) {
                throw std::runtime_error("of " + std::to_string(sent.count) +
                                         " messages of a sender, its receivers got " +
                                         std::to_string(got.count) + ", or some of them twice");
            }
        }
        all.verified += sent.count;
    }
    auto started = ~std::uint64_t{0};
    std::uint64_t ended = 0;
    std::uint64_t counted = 0;
    for (const auto& one : shares) {
        if (one.started == 0) { continue; }
        started = std::min(started, one.started);
        ended = std::max(ended, one.ended);
        counted += one.counted;
    }
    if (ended <= started) { throw std::runtime_error("nothing came behind the warm-up"); }
    all.per_second = static_cast<double>(counted) * 1e9 / static_cast<double>(groups) /
                     nanoseconds(ended - started);
    all.bytes_per_second = all.per_second * static_cast<double>(message_size);
    return all;
}

}  // namespace ringpipe::bench
