#include "pipeline/run/bridge_plan.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "pipeline/run/stage_plan.hpp"
#ifdef RINGPIPE_HAS_BRIDGE
#include "bridge/address.hpp"
#endif

namespace ringpipe::pipeline {

#ifdef RINGPIPE_HAS_BRIDGE

bool is_stream_address(std::string_view text) noexcept { return bridge::is_nats_address(text); }

std::string ring_for_stream(const std::string& address, bool out) {
    const auto where = bridge::parse_nats_address(address);
    if (out && !where.consumer.empty()) {
        throw error{errc::invalid_argument,
                    "a stream is written to without a consumer; leave /" + where.consumer + " out"};
    }
    return fmt::format("nats.{}{}{}", where.stream, where.consumer.empty() ? "" : ".",
                       where.consumer);
}

std::string bridge_environment(const part& what) {
    return fmt::format("{}={}", bridge::whole_address, what.bridge);
}

part bridge_part(const std::string& address, bool out, std::size_t ring) {
    part made;
    made.label = std::string{"bridge "} + (out ? "out" : "in");
    made.text = bridge::without_secrets(address);
    made.bridge = address;
    made.restarts = default_restarts;
    made.exact = true;
    made.has_input = false;
    made.group = "bridge";
    (out ? made.from : made.to) = ring;
    return made;
}

#else

bool is_stream_address(std::string_view text) noexcept {
    return text.starts_with("nats://") || text.starts_with("tls://");
}

std::string ring_for_stream(const std::string&, bool) {
    throw error{errc::invalid_argument, "this ringpipe was built without NATS (libnats-dev)"};
}

std::string bridge_environment(const part&) { return {}; }

part bridge_part(const std::string&, bool, std::size_t) { return {}; }

#endif

std::vector<std::string> bridge_words(const part& what, const links& rings) {
    if (what.from) {
        return {"bridge",  "out",      rings.name(*what.from) + "/" + what.group,
                what.text, "--create", "--no-progress"};
    }
    return {"bridge", "in", what.text, rings.name(*what.to), "--no-progress"};
}

}  // namespace ringpipe::pipeline
