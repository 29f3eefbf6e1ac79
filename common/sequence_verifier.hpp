// Keeps account of which numbers were seen: what is missing, what came twice or too late.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace ringpipe {

struct number_range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // belongs to the range

    bool operator==(const number_range&) const = default;
};

// Numbers in order cost no memory; each gap costs an entry until it is filled.
class sequence_verifier {
  public:
    // More gaps than this are not kept: the lowest one then counts as missing for good, and
    // a number out of it that comes after all as a duplicate.
    explicit sequence_verifier(std::size_t most_gaps = std::size_t{1} << 20U);
    sequence_verifier(const sequence_verifier&) = delete;  // newest_ points into seen_
    sequence_verifier& operator=(const sequence_verifier&) = delete;
    ~sequence_verifier() = default;

    void saw(std::uint64_t number) {
        // In order: one more at the end of what has been seen.
        if (number == expected_ && number != 0) [[likely]] {
            ++newest_->second;
            ++expected_;
            return;
        }
        saw_elsewhere(number);
    }

    [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }

    // Numbers below the highest one seen before them, duplicates not counted.
    [[nodiscard]] std::uint64_t out_of_order() const noexcept { return out_of_order_; }

    [[nodiscard]] bool empty() const noexcept { return seen_.empty(); }

    // The lowest and the highest number seen; only if there is one.
    [[nodiscard]] number_range extent() const noexcept;

    // How many different numbers were seen.
    [[nodiscard]] std::uint64_t seen() const noexcept;

    // How many numbers of `expected` were not seen, and the first `at_most` ranges of them.
    [[nodiscard]] std::uint64_t missing(number_range expected) const;
    [[nodiscard]] std::vector<number_range> missing_ranges(number_range expected,
                                                           std::size_t at_most) const;

    // Whether every gap was kept. If not, missing() has the numbers of those that were not, but
    // missing_ranges() does not have them.
    [[nodiscard]] bool exact() const noexcept { return given_up_ == 0; }

  private:
    using intervals = std::map<std::uint64_t, std::uint64_t>;  // first -> last, never adjacent

    void saw_elsewhere(std::uint64_t number);
    void give_up_lowest_gap();

    std::size_t most_gaps_;
    intervals seen_;
    intervals::iterator newest_;  // the highest interval, if there is any
    std::uint64_t expected_ = 0;  // the number behind it; 0 if there is none
    std::uint64_t given_up_ = 0;  // missing numbers of gaps that are no longer kept
    std::uint64_t duplicates_ = 0;
    std::uint64_t out_of_order_ = 0;
};

}  // namespace ringpipe
