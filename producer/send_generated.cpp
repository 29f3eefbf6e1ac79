#include "producer/send_generated.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace ringpipe::producer_program {
namespace {

constexpr std::size_t worth_a_loan = 4096;  // bytes

bool send_small(const generate_options& what, outlet& to) {
    // They must stay where they are until they are sent: some at a time, each in its own place.
    constexpr std::size_t places = 128;
    std::vector<std::byte> space(places * what.size);
    for (std::uint64_t number = 0; number < what.count;) {
        const auto together = std::min<std::uint64_t>(places, what.count - number);
        for (std::size_t i = 0; i < together; ++i, ++number) {
            const auto message = std::span{space}.subspan(i * what.size, what.size);
            fill_generated(message, number);
            if (!to.add(message)) { return to.count_reached(); }
        }
        if (!to.flush()) { return to.count_reached(); }
    }
    return true;
}

bool send_large(const generate_options& what, outlet& to) {
    for (std::uint64_t number = 0; number < what.count; ++number) {
        auto message = to.lend(what.size);
        if (!message) { return to.count_reached(); }
        fill_generated(message.payload(), number);
        to.send(message, what.size);
    }
    return true;
}

}  // namespace

bool send_generated(const generate_options& what, outlet& to) {
    return what.size < worth_a_loan ? send_small(what, to) : send_large(what, to);
}

}  // namespace ringpipe::producer_program
