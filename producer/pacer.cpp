#include "producer/pacer.hpp"

#include <algorithm>
#include <chrono>

#include "common/error.hpp"
#include "common/quote.hpp"
#include "common/units.hpp"

namespace ringpipe {

using namespace std::chrono_literals;

rate parse_rate(std::string_view text) {
    auto number = text;
    if (number.ends_with("/s")) { number.remove_suffix(2); }
    const bool bytes = number.ends_with('B') || number.ends_with('b');
    const auto value = bytes ? parse_size(number) : parse_count(number);
    if (value == 0) {
        throw error{errc::invalid_argument,
                    "cannot send at the rate " + in_quotes(text) +
                        ": nothing would ever be sent; use at least 1, or leave it out"};
    }
    return {static_cast<double>(value), bytes ? rate::unit::bytes : rate::unit::messages};
}

std::uint64_t pacer::burst() const {
    return std::max<std::uint64_t>(static_cast<std::uint64_t>(limit_.per_second / 100), 1);
}

void pacer::sent(std::uint64_t messages, std::uint64_t bytes) {
    const auto amount = limit_.of == rate::unit::messages ? messages : bytes;
    const std::chrono::duration<double> cost{static_cast<double>(amount) / limit_.per_second};
    due_ = std::max(due_, clock::now() - 100ms);
    due_ += std::chrono::duration_cast<clock::duration>(
        std::min(cost, std::chrono::duration<double>{1e9}));
}

}  // namespace ringpipe
