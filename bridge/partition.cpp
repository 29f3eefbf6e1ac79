#include "bridge/partition.hpp"

#include <charconv>

#include "common/error.hpp"
#include "common/quote.hpp"

namespace ringpipe::bridge {
namespace {

std::string_view key_of(std::string_view text, const partitioning& how) {
    if (how.by == partitioning::key::prefix) { return text.substr(0, how.size); }
    if (how.by != partitioning::key::field) { return text; }
    for (std::uint32_t i = 1; i < how.size; ++i) {
        const auto next = text.find(how.separator);
        if (next == std::string_view::npos) { return {}; }
        text.remove_prefix(next + 1);
    }
    return text.substr(0, text.find(how.separator));
}

}  // namespace

partitioning parse_partitioning(std::string_view text) {
    using key = partitioning::key;
    partitioning how;
    if (text == "hash") {
        how.by = key::whole;
        return how;
    }
    auto rest = text;
    if (text.starts_with("prefix:")) {
        how.by = key::prefix;
        rest = text.substr(7);
    } else if (text.starts_with("field:")) {
        how.by = key::field;
        rest = text.substr(6);
        if (const auto colon = rest.find(':');
            colon != std::string_view::npos && colon + 2 == rest.size()) {
            how.separator = rest.back();
            rest = rest.substr(0, colon);
        }
    }
    const auto [stop, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), how.size);
    if (how.by == key::none || problem != std::errc{} || stop != rest.data() + rest.size() ||
        how.size == 0) {
        throw error{
            errc::invalid_argument,
            in_quotes(text) + " is not one of hash, prefix:BYTES, field:NUMBER[:CHARACTER]"};
    }
    return how;
}

std::uint32_t partition_of(std::span<const std::byte> payload, const partitioning& how) {
    if (how.by == partitioning::key::none) { return 0; }
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c :
         key_of({reinterpret_cast<const char*>(payload.data()), payload.size()}, how)) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return static_cast<std::uint32_t>(hash % how.partitions);
}

}  // namespace ringpipe::bridge
