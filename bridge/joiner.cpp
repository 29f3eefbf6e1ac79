#include "bridge/joiner.hpp"

#include <utility>

namespace ringpipe::bridge {

std::optional<joiner::whole> joiner::add(const envelope& about, std::span<const std::byte> part,
                                         std::uint64_t place) {
    auto& at = by_source_[about.source];
    if (about.part == 0) {
        // What was begun and is begun again was sent twice, or its rest will never come.
        for (const auto old : at.content.places) { held_.erase(old); }
        at = {about.sequence, 0, {}};
    }
    if (about.sequence != at.sequence || about.part != at.next) {
        ++left_out_;
        return std::nullopt;
    }
    at.content.payload.insert(at.content.payload.end(), part.begin(), part.end());
    at.content.places.push_back(place);
    held_.insert(place);
    if (++at.next != about.parts) { return std::nullopt; }
    for (const auto each : at.content.places) { held_.erase(each); }
    auto result = std::move(at.content);
    by_source_.erase(about.source);
    return result;
}

}  // namespace ringpipe::bridge
