#include "common/sequence_verifier.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace ringpipe {
namespace {

constexpr std::uint64_t highest_number = std::numeric_limits<std::uint64_t>::max();

// Calls `visit` for each range within `expected` that is not in `seen`, lowest first, for as long
// as it returns true.
template <class Visit>
void for_each_gap(const std::map<std::uint64_t, std::uint64_t>& seen, number_range expected,
                  Visit visit) {
    auto next = expected.first;  // the lowest number not yet looked at
    for (const auto& [first, last] : seen) {
        if (last < next) { continue; }
        if (first > expected.last) { break; }
        if (first > next && !visit(number_range{next, first - 1})) { return; }
        if (last >= expected.last) { return; }
        next = last + 1;
    }
    if (next <= expected.last) { visit(number_range{next, expected.last}); }
}

}  // namespace

sequence_verifier::sequence_verifier(std::size_t most_gaps)
    : most_gaps_{most_gaps}, newest_{seen_.end()} {}

void sequence_verifier::saw_elsewhere(std::uint64_t number) {
    // `above` is the first interval behind the number, `below` the one before that.
    auto above = seen_.upper_bound(number);
    const bool has_below = above != seen_.begin();
    const auto below = has_below ? std::prev(above) : seen_.end();
    if (has_below && number <= below->second) {
        ++duplicates_;
        return;
    }
    if (above != seen_.end()) { ++out_of_order_; }

    auto here = below;
    if (has_below && below->second + 1 == number) {
        here->second = number;
    } else {
        here = seen_.emplace_hint(above, number, number);
    }
    if (above != seen_.end() && number + 1 == above->first) {
        here->second = above->second;
        seen_.erase(above);
    }
    newest_ = std::prev(seen_.end());
    expected_ = newest_->second == highest_number ? 0 : newest_->second + 1;
    while (seen_.size() > most_gaps_ + 1) { give_up_lowest_gap(); }
}

void sequence_verifier::give_up_lowest_gap() {
    const auto lowest = seen_.begin();
    const auto second = std::next(lowest);
    given_up_ += second->first - lowest->second - 1;
    lowest->second = second->second;
    seen_.erase(second);
    newest_ = std::prev(seen_.end());
}

number_range sequence_verifier::extent() const noexcept {
    if (seen_.empty()) { return {}; }
    return {seen_.begin()->first, newest_->second};
}

std::uint64_t sequence_verifier::seen() const noexcept {
    std::uint64_t count = 0;
    for (const auto& [first, last] : seen_) { count += last - first + 1; }
    return count - given_up_;
}

std::uint64_t sequence_verifier::missing(number_range expected) const {
    std::uint64_t count = given_up_;
    for_each_gap(seen_, expected, [&](number_range gap) {
        count += gap.last - gap.first + 1;
        return true;
    });
    return count;
}

std::vector<number_range> sequence_verifier::missing_ranges(number_range expected,
                                                            std::size_t at_most) const {
    std::vector<number_range> result;
    if (at_most == 0) { return result; }
    for_each_gap(seen_, expected, [&](number_range gap) {
        result.push_back(gap);
        return result.size() < at_most;
    });
    return result;
}

}  // namespace ringpipe
