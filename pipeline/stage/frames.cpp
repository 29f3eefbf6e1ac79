#include "pipeline/stage/frames.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace ringpipe::pipeline::stage {
namespace {

using prefix = std::uint32_t;  // little-endian, as we are

}  // namespace

std::optional<char> frames::delimiter() const noexcept {
    switch (how_.type) {
        case framing::kind::lines: return '\n';
        case framing::kind::nul: return '\0';
        default: return std::nullopt;
    }
}

std::size_t frames::first(std::string_view text) const noexcept {
    if (const auto end = delimiter()) { return text.find(*end) + 1; }  // npos + 1 is 0
    std::size_t size = how_.size;
    if (how_.type == framing::kind::length) {
        prefix payload = 0;
        if (text.size() < sizeof payload) { return 0; }
        std::memcpy(&payload, text.data(), sizeof payload);
        size = sizeof payload + payload;
    }
    return size <= text.size() ? size : 0;
}

std::size_t frames::whole(std::string_view text, std::size_t seen) const noexcept {
    if (const auto end = delimiter()) {
        const auto last = text.substr(seen).rfind(*end);
        return last == std::string_view::npos ? 0 : seen + last + 1;
    }
    std::size_t done = 0;
    while (const auto size = first(text.substr(done))) { done += size; }
    return done;
}

std::size_t frames::count(std::string_view text) const noexcept {
    if (const auto end = delimiter()) {
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), *end));
    }
    std::size_t count = 0;
    while (const auto size = first(text)) {
        text.remove_prefix(size);
        ++count;
    }
    return count;
}

}  // namespace ringpipe::pipeline::stage
