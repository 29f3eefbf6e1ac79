#include "common/framing.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "common/quote.hpp"
#include "common/units.hpp"

namespace ringpipe {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
    throw error{errc::invalid_argument,
                fmt::format("cannot use framing {}: {}; write lines, nul, length, fixed:N or "
                            "chunks:N",
                            in_quotes(text), why)};
}

std::size_t parse_frame_size(std::string_view text, std::string_view number) {
    if (number.empty()) { refuse(text, "its size is missing"); }
    const auto size = parse_size(number);
    if (size == 0) { refuse(text, "a message of no bytes never ends the input"); }
    return size;
}

}  // namespace

framing parse_framing(std::string_view text) {
    using enum framing::kind;
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    const bool has_size = colon != std::string_view::npos;
    const auto number = has_size ? text.substr(colon + 1) : std::string_view{};

    if (name == "fixed") { return {fixed, parse_frame_size(text, number)}; }
    if (name == "chunks") { return {chunks, parse_frame_size(text, number)}; }
    if (name != "lines" && name != "nul" && name != "length") {
        refuse(text, fmt::format("there is no framing {}", in_quotes(name)));
    }
    if (has_size) { refuse(text, fmt::format("{} takes no size", name)); }
    if (name == "nul") { return {nul, 0}; }
    return {name == "length" ? length : lines, 0};
}

std::string to_string(framing how) {
    switch (how.type) {
        case framing::kind::lines: return "lines";
        case framing::kind::nul: return "nul";
        case framing::kind::length: return "length";
        case framing::kind::fixed: return fmt::format("fixed:{}", how.size);
        case framing::kind::chunks: return fmt::format("chunks:{}", how.size);
    }
    return "unknown";
}

}  // namespace ringpipe
