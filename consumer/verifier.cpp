#include "consumer/verifier.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/generate.hpp"
#include "common/units.hpp"

namespace ringpipe::consumer_program {

bool verifier::check(const message& one) {
    ++checked_;
    const auto [status, number] = check_generated(one.payload());
    if (status == generated_status::damaged) { ++damaged_; }
    if (status == generated_status::not_generated) { ++foreign_; }
    if (status != generated_status::good) { return true; }

    auto& from = sources_[one.producer()];
    const auto duplicates = from.numbers.duplicates();
    from.numbers.saw(number);
    const bool seen_before = from.numbers.duplicates() != duplicates;
    if (!one.redelivered()) {
        if (seen_before) {
            ++twice_;
        } else if (number < from.next) {
            ++late_;
        }
    }
    const bool in_order = number <= from.next;
    from.next = std::max(from.next, number + 1);
    return in_order;
}

number_range verifier::expected(const sequence_verifier& numbers) const {
    auto range = numbers.extent();
    if (from_beginning_) { range.first = 0; }
    return range;
}

std::uint64_t verifier::missing() const {
    if (!alone_) { return 0; }
    std::uint64_t count = 0;
    for (const auto& [producer, from] : sources_) {
        if (!from.numbers.empty()) { count += from.numbers.missing(expected(from.numbers)); }
    }
    return count;
}

std::string verifier::first_missing() const {
    for (const auto& [producer, from] : sources_) {
        if (from.numbers.empty()) { continue; }
        for (const auto& gap : from.numbers.missing_ranges(expected(from.numbers), 1)) {
            return fmt::format(" (first {} to {})", gap.first, gap.last);
        }
    }
    return {};
}

bool verifier::good() const {
    return damaged_ == 0 && foreign_ == 0 && twice_ == 0 && late_ == 0 && missing() == 0;
}

std::string verifier::report() const {
    const auto lost = missing();
    return fmt::format(
        "verified {} messages: {}, {} damaged, {} not generated, {} twice without a mark, "
        "{} out of order",
        format_count(checked_),
        alone_ ? fmt::format("{} missing{}", format_count(lost), lost > 0 ? first_missing() : "")
               : "none known to be missing (others share the group)",
        format_count(damaged_), format_count(foreign_), format_count(twice_), format_count(late_));
}

}  // namespace ringpipe::consumer_program
