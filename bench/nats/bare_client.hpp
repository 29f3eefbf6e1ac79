// What a client of JetStream does without ringpipe: the peer of `ringpipe bridge`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bridge/connection.hpp"

namespace ringpipe::bench {

// All of these throw std::runtime_error with what JetStream said.

void make_stream(const bridge::connection& at, const std::string& name);
void remove_stream(const bridge::connection& at, const std::string& name);
[[nodiscard]] std::uint64_t messages_in_stream(const bridge::connection& at,
                                               const std::string& name);

// Publishes asynchronously, and waits until every message is acknowledged. Returns the seconds.
// With ids the server looks each up among those that it has, and notes it: what exactly-once costs.
double publish_bare(const bridge::connection& at, const std::string& stream, std::uint64_t messages,
                    std::size_t size, bool with_ids);

enum class acknowledging { each_message, each_batch };

// Fetches by batches of `batch`, and acknowledges. Returns the seconds.
double fetch_bare(const bridge::connection& at, const std::string& stream, std::uint64_t messages,
                  std::size_t size, int batch, acknowledging how);

}  // namespace ringpipe::bench
