// Where a stream is: nats://[USER:PASSWORD@]HOST[:PORT][,...]/STREAM[/CONSUMER].
#pragma once

#include <string>
#include <string_view>

namespace ringpipe::bridge {

struct nats_address {
    std::string servers;   // as written, without the path: "nats://a:4222,nats://b:4222"
    std::string stream;    // also its subject, unless it is partitioned
    std::string consumer;  // empty if the address names none
};

[[nodiscard]] bool is_nats_address(std::string_view text) noexcept;  // "nats://..." or "tls://..."

// Several servers of one cluster are separated by commas: "nats://a:4222,b:4222/jobs".
// Throws error(invalid_argument), which never shows a password.
[[nodiscard]] nats_address parse_nats_address(std::string_view text);

// The servers without user, password or token: for messages to people.
[[nodiscard]] std::string without_secrets(std::string_view servers);

// The environment variable by which `ringpipe run` gives a bridge the address that its command line
// shows without secrets.
inline constexpr const char* whole_address = "RINGPIPE_BRIDGE_ADDRESS";

}  // namespace ringpipe::bridge
