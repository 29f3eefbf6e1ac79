#include "bench/exactly_once.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace ringpipe::bench {

void share_checker::operator()(bytes message) {
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

measurement judge_exactly_once(const team_outcome& outcome, std::size_t senders,
                               std::size_t receivers, std::size_t groups,
                               std::size_t message_size) {
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
