#include "bridge/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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

std::string to_header(const envelope& from) {
    auto text = fmt::format(FMT_STRING("source={} sequence={} attempt={} producer={}"), from.source,
                            from.sequence, from.attempt, from.producer);
    if (from.parts != 1) { text += fmt::format(" part={} parts={}", from.part, from.parts); }
    if (!from.end.empty()) { text += " end=" + from.end; }
    return text;
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
    if (result.source.empty() || result.part >= result.parts) { return std::nullopt; }
    return result;
}

std::string message_id(const envelope& of) {
    auto id = fmt::format(FMT_STRING("{}-{}"), of.source, of.sequence);
    if (of.parts != 1) { id += fmt::format(".{}", of.part); }
    // Each partition gets one; `producer` is its number then.
    if (!of.end.empty()) { id += fmt::format("-end.{}", of.producer); }
    return id;
}

}  // namespace ringpipe::bridge
