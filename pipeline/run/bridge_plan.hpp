// The bridge that stands for a stage's from = or to = "nats://HOST:PORT/STREAM[/CONSUMER]".
#pragma once

#include <string>
#include <string_view>

#include "pipeline/run/links.hpp"
#include "pipeline/run/plan.hpp"

namespace ringpipe::pipeline {

[[nodiscard]] bool is_stream_address(std::string_view text) noexcept;

// "nats.STREAM[.CONSUMER]": the ring between the stage and the bridge. Throws
// error(invalid_argument), also if this ringpipe was built without NATS.
[[nodiscard]] std::string ring_for_stream(const std::string& address, bool out);

// `ring` is its number in the plan. Killed, it is started again and loses nothing.
[[nodiscard]] part bridge_part(const std::string& address, bool out, std::size_t ring);

// The words behind `ringpipe`; what is secret in the address is in the environment.
[[nodiscard]] std::vector<std::string> bridge_words(const part& what, const links& rings);
[[nodiscard]] std::string bridge_environment(const part& what);

}  // namespace ringpipe::pipeline
