#include "bridge/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace ringpipe::bridge {
namespace {

template <class T>
bool read(std::string_view text, T& into) {
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), into);
    return problem == std::errc{} && stop == text.data() + text.size();
}

bool read_word(std::string_view key, std::string_view value, envelope& into) {
    if (key == "source") {
        into.source = value;
        return true;
    }
    if (key == "end") {
        into.end = value;
        return value == "clean" || value == "truncated";
    }
    if (key == "sequence") { return read(value, into.sequence); }
    if (key == "attempt") { return read(value, into.attempt); }
    if (key == "producer") { return read(value, into.producer); }
    if (key == "part") { return read(value, into.part); }
    if (key == "parts") { return read(value, into.parts); }
    return true;  // of a later version
}

}  // namespace

void append_header(std::string& to, const envelope& from) {
    const auto end = std::back_inserter(to);
    fmt::format_to(end, FMT_STRING("sequence={} attempt={} producer={}"), from.sequence,
                   from.attempt, from.producer);
    if (from.parts != 1) {
        fmt::format_to(end, FMT_STRING(" part={} parts={} source={}"), from.part, from.parts,
                       from.source);
    }
    if (!from.end.empty()) { fmt::format_to(end, FMT_STRING(" end={}"), from.end); }
}

std::optional<envelope> parse_header(std::string_view text) {
    envelope result;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        const auto equals = word.find('=');
        if (equals == std::string_view::npos ||
            !read_word(word.substr(0, equals), word.substr(equals + 1), result)) {
            return std::nullopt;
        }
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    if (result.part >= result.parts) { return std::nullopt; }
    if (result.parts != 1 && result.source.empty()) { return std::nullopt; }
    return result;
}

void append_message_id(std::string& to, const envelope& of) {
    const auto end = std::back_inserter(to);
    fmt::format_to(end, FMT_STRING("{}-{}"), of.source, of.sequence);
    if (of.parts != 1) { fmt::format_to(end, FMT_STRING(".{}"), of.part); }
    // Each partition gets one; `producer` is its number then.
    if (!of.end.empty()) { fmt::format_to(end, FMT_STRING("-end.{}"), of.producer); }
}

}  // namespace ringpipe::bridge
