#include "bridge/joiner.hpp"

#include <utility>

namespace ringpipe::bridge {

std::optional<std::vector<std::byte>> joiner::add(const envelope& about,
                                                  std::span<const std::byte> part,
                                                  std::uint64_t place, bool counts) {
    auto& at = by_source_[about.source];
    if (about.part == 0) {
        // What was begun and is begun again was sent twice, or its rest will never come.
        let_go(at);
        at = {.sequence = about.sequence, .next = 0, .payload = {}, .places = {}};
    }
    if (about.sequence != at.sequence || about.part != at.next) {
        left_out_ += counts ? 1 : 0;
        return std::nullopt;
    }
    at.payload.insert(at.payload.end(), part.begin(), part.end());
    at.places.push_back(place);
    held_.insert(place);
    if (++at.next != about.parts) { return std::nullopt; }
    let_go(at);
    auto result = std::move(at.payload);
    by_source_.erase(about.source);
    return result;
}

void joiner::give_up_before(std::uint64_t place) {
    std::erase_if(by_source_, [&](const auto& one) {
        const auto& places = one.second.places;
        if (places.empty() || places.front() >= place) { return false; }
        let_go(one.second);
        ++left_out_;
        return true;
    });
}

void joiner::let_go(const partial& one) {
    for (const auto place : one.places) { held_.erase(place); }
}

}  // namespace ringpipe::bridge
