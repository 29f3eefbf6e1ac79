// Medians and spreads; never the best of some runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ringpipe::bench {

// The value that a `share` (0 to 1) of all lies at or below. Reorders `values`; 0 if there are
// none.
template <class T>
[[nodiscard]] T quantile(std::vector<T>& values, double share) {
    if (values.empty()) { return T{}; }
    const auto last = values.size() - 1;
    const auto index =
        std::min(last, static_cast<std::size_t>(share * static_cast<double>(last) + 0.5));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

// The median of samples of a clock that ticks in coarse steps (10 ns on some processors): finer
// than a step, by how many samples lie below and on the middle one. Reorders `values`.
template <class T>
[[nodiscard]] double median_between_steps(std::vector<T>& values) {
    if (values.empty()) { return 0; }
    const auto middle = quantile(values, 0.5);
    auto lower = middle;
    auto upper = middle;
    std::size_t below = 0;
    std::size_t on = 0;
    for (const auto value : values) {
        if (value < middle) {
            lower = below == 0 ? value : std::max(lower, value);
            ++below;
        } else if (value == middle) {
            ++on;
        } else {
            upper = upper == middle ? value : std::min(upper, value);
        }
    }
    const auto from = (static_cast<double>(lower) + static_cast<double>(middle)) / 2;
    const auto to = (static_cast<double>(middle) + static_cast<double>(upper)) / 2;
    const auto half = static_cast<double>(values.size()) / 2;
    return from + (to - from) * (half - static_cast<double>(below)) / static_cast<double>(on);
}

struct spread {
    std::size_t count = 0;
    double median = 0;
    double least = 0;
    double most = 0;
};

[[nodiscard]] inline spread spread_of(std::vector<double> values) {
    if (values.empty()) { return {}; }
    std::sort(values.begin(), values.end());
    const auto middle = values.size() / 2;
    const auto median =
        values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {values.size(), median, values.front(), values.back()};
}

}  // namespace ringpipe::bench
