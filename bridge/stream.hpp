// The stream and the durable consumer on the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/connection.hpp"

namespace ringpipe::bridge {

enum class retention { limits, workqueue };

// What is not given takes its default at creation, and is not compared with a stream that is there.
struct stream_options {
    bool create = false;  // if it is not there
    std::optional<unsigned> replicas = {};
    std::optional<bridge::retention> retention = {};       // limits
    std::optional<std::chrono::nanoseconds> max_age = {};  // no limit, as for max_bytes
    std::optional<std::uint64_t> max_bytes = {};
    // For how long the server remembers message ids: longer than an `out` may stay away.
    std::optional<std::chrono::nanoseconds> duplicate_window = {};  // 2 min
};

struct stream_extent {
    std::int64_t created = 0;  // another one's differs
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t bytes = 0;      // as the server counts them
    std::uint64_t max_bytes = 0;  // 0: no limit
    bool discards_old = false;    // at a limit, and not what is new
    bool loses_unread = false;    // by its limits, whether read or not
    // What is no longer there was read by its reader: a work queue. False: its limits (max age, max
    // bytes), or somebody, removed it.
    bool removes_what_was_read = false;
    bool replicated = false;
};

// Throws error(input_not_found) if it is not there and is not to be created. Who begins to send gives
// the subject: then also error(options_differ) if it is there with others than those given, or does
// not take, or not acknowledge, such messages. A full stream refuses what is new (and so holds the
// ring's producers back), it never discards what is old.
stream_extent open_stream(const connection& at, jsCtx* context, const std::string& name,
                          const stream_options& how, const std::string& sends_to = {});

// Throws error(options_differ): it is not the one that it was.
[[noreturn]] void refuse_another(const std::string& stream);

// Why it may drop messages that nobody has read when it is full; empty if it does not.
[[nodiscard]] std::string may_drop(const stream_extent& stream, const std::string& name);

// Whether a subject of a stream, as "jobs.*" or "jobs.>", takes `subject`.
[[nodiscard]] bool takes_subject(std::string_view pattern, std::string_view subject);

// Nothing while no server answers.
std::optional<stream_extent> extent_of(const connection& at, jsCtx* context,
                                       const std::string& stream);

// Messages that a consumer of ours is given before it acknowledges one: those that a killed `in` left
// do not hold up the next.
inline constexpr std::uint64_t max_unacknowledged = 100'000;

struct consumer_place {
    std::uint64_t acknowledged = 0;  // all of the stream up to here
    stream_extent stream;
    // False: an acknowledgement is of all before it, too, which spares the server one per message.
    bool acknowledges_each = true;
};

// How many messages the consumer has not delivered, or not been told that they arrived; nothing while
// no server answers.
std::optional<std::uint64_t> unfinished_of(jsCtx* context, const std::string& stream,
                                           const std::string& consumer);

// Makes the durable consumer if it is not there; `subject` is what it filters for, empty for all. A
// work queue's has to acknowledge each message, says the server; one that is there does as it was made.
consumer_place open_durable(const connection& at, jsCtx* context, const std::string& stream,
                            const std::string& name, const std::string& subject);

}  // namespace ringpipe::bridge
