#include "bridge/address.hpp"

#include <algorithm>
#include <cctype>

#include "common/error.hpp"
#include "common/quote.hpp"

namespace ringpipe::bridge {
namespace {

constexpr std::string_view scheme_end = "://";

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
    throw error{errc::invalid_argument, "cannot use " + in_quotes(without_secrets(text)) +
                                            " as an address: " + std::string{why} +
                                            "; write nats://HOST:PORT/STREAM[/CONSUMER]"};
}

// What JetStream takes as the name of a stream or consumer, and is safe in a subject.
void check(std::string_view text, std::string_view name, std::string_view what) {
    if (name.empty()) { refuse(text, std::string{what} + " is missing"); }
    const bool good = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
    if (!good || name.size() > 30) {
        refuse(text, std::string{what} + " must be 1 to 30 letters, digits, - or _");
    }
}

}  // namespace

bool is_nats_address(std::string_view text) noexcept {
    return text.starts_with("nats://") || text.starts_with("tls://");
}

nats_address parse_nats_address(std::string_view text) {
    if (!is_nats_address(text)) { refuse(text, "it does not begin with nats:// or tls://"); }
    const auto host = text.find(scheme_end) + scheme_end.size();
    // The stream is behind the last server; each may have a scheme of its own.
    const auto last = text.rfind(',');
    auto from = last == std::string_view::npos ? host : last + 1;
    if (const auto own = text.find(scheme_end, from); own != std::string_view::npos) {
        from = own + scheme_end.size();
    }
    // A password may have a / in it.
    if (const auto at = text.find('@', from); at != std::string_view::npos) { from = at + 1; }
    const auto slash = text.find('/', from);
    if (slash == from || from == text.size()) { refuse(text, "the host is missing"); }
    if (slash == std::string_view::npos) { refuse(text, "the stream is missing"); }
    nats_address result;
    result.servers = text.substr(0, slash);
    auto path = text.substr(slash + 1);
    if (const auto next = path.find('/'); next != std::string_view::npos) {
        result.consumer = path.substr(next + 1);
        check(text, result.consumer, "the consumer");
        path = path.substr(0, next);
    }
    result.stream = path;
    check(text, result.stream, "the stream");
    return result;
}

std::string without_secrets(std::string_view servers) {
    std::string result;
    while (!servers.empty()) {
        const auto comma = std::min(servers.find(','), servers.size());
        auto one = servers.substr(0, comma);
        if (const auto at = one.rfind('@'); at != std::string_view::npos) {
            const auto scheme = one.find(scheme_end);
            if (scheme != std::string_view::npos && scheme < at) {
                result += one.substr(0, scheme + scheme_end.size());
            }
            one = one.substr(at + 1);
        }
        result += one;
        if (comma < servers.size()) { result += ','; }
        servers.remove_prefix(std::min(comma + 1, servers.size()));
    }
    return result;
}

}  // namespace ringpipe::bridge
