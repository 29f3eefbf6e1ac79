#include "bridge/stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "bridge/padding.hpp"
#include "common/deadline.hpp"
#include "common/error.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"

namespace ringpipe::bridge {
namespace {

using namespace std::chrono_literals;

using stream_info = handle<jsStreamInfo, jsStreamInfo_Destroy>;
using consumer_info = handle<jsConsumerInfo, jsConsumerInfo_Destroy>;

constexpr auto no_code = static_cast<jsErrCode>(0);

[[noreturn]] void refuse(const connection& at, std::string_view what, natsStatus status,
                         jsErrCode code) {
    at.check();
    if (code == JSNotEnabledErr || code == JSNotEnabledForAccountErr) {
        throw error{errc::io, fmt::format("cannot {} at {}: JetStream is off there; start "
                                          "nats-server with -js",
                                          what, at.servers())};
    }
    throw error{status == NATS_NOT_PERMITTED ? errc::no_permission : errc::io,
                fmt::format("cannot {} at {}: {}; see the server's log", what, at.servers(),
                            words_for(status, code))};
}

// A cluster that elects a leader does not answer for a moment.
template <class Ask>
natsStatus ask_patiently(Ask ask, jsErrCode& code) {
    const auto until = after(std::chrono::seconds{20});
    for (;;) {
        code = no_code;
        const auto status = ask(&code);
        const bool passing = status == NATS_TIMEOUT || status == NATS_NO_RESPONDERS ||
                             status == NATS_CONNECTION_DISCONNECTED ||
                             code == JSClusterNotAvailErr || code == JSClusterNotLeaderErr ||
                             code == JSInsufficientResourcesErr || code == JSClusterNoPeersErr;
        if (!passing || stop_requested() || clock::now() > until) { return status; }
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
}

jsRetentionPolicy of_nats(retention how) {
    return how == retention::limits ? js_LimitsPolicy : js_WorkQueuePolicy;
}

stream_extent extent_in(const jsStreamInfo& about) {
    const auto& config = *about.Config;
    return {.created = about.Created,
            .first = about.State.FirstSeq,
            .last = about.State.LastSeq,
            .bytes = about.State.Bytes,
            .max_bytes = static_cast<std::uint64_t>(std::max<int64_t>(config.MaxBytes, 0)),
            .discards_old = config.Discard == js_DiscardOld,
            .loses_unread =
                config.MaxAge > 0 || config.MaxMsgsPerSubject > 0 ||
                (config.Discard == js_DiscardOld && (config.MaxBytes > 0 || config.MaxMsgs > 0)),
            .removes_what_was_read = config.Retention == js_WorkQueuePolicy,
            .replicated = config.Replicas > 1};
}

// In whole units: see padding.hpp.
std::uint64_t limit_of(const std::string& name, std::uint64_t max_bytes) {
    const auto unit = unit_of(name);
    return max_bytes == 0 ? 0 : std::max(max_bytes / unit * unit, unit);
}

// The server refuses one that is longer than the messages live.
std::chrono::nanoseconds window_of(const stream_options& how) {
    const auto wanted = how.duplicate_window.value_or(2min);
    const auto age = how.max_age.value_or(0ns);
    return age != 0ns ? std::min(wanted, age) : wanted;
}

natsStatus create(jsCtx* context, const std::string& name, const stream_options& how,
                  stream_extent& made, jsErrCode& code) {
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const auto partitions = name + ".>";
    const char* subjects[] = {name.c_str(), partitions.c_str()};
    config.Name = name.c_str();
    config.Subjects = subjects;
    config.SubjectsLen = 2;
    config.Replicas = how.replicas.value_or(1);
    config.Retention = of_nats(how.retention.value_or(retention::limits));
    config.MaxAge = how.max_age.value_or(0ns).count();
    if (how.max_bytes.value_or(0) != 0) {
        config.MaxBytes = static_cast<int64_t>(limit_of(name, *how.max_bytes));
    }
    config.Duplicates = window_of(how).count();
    config.Discard = js_DiscardNew;
    return ask_patiently(
        [&](jsErrCode* c) {
            jsStreamInfo* raw = nullptr;
            const auto got = js_AddStream(&raw, context, &config, nullptr, c);
            const stream_info info{raw};
            if (got == NATS_OK) { made = extent_in(*info); }
            return got;
        },
        code);
}

// Of what the user has asked for, what the stream is not.
std::string difference(const std::string& name, const jsStreamConfig& is,
                       const stream_options& how) {
    if (how.replicas && is.Replicas != *how.replicas) {
        return fmt::format("it has --replicas {}, not {}", is.Replicas, *how.replicas);
    }
    if (how.retention && is.Retention != of_nats(*how.retention)) {
        return "it has another --retention";
    }
    if (how.max_age && is.MaxAge != how.max_age->count()) {
        return fmt::format("it has --max-age {}, not {}",
                           format_duration(std::chrono::nanoseconds{is.MaxAge}),
                           format_duration(*how.max_age));
    }
    if (how.max_bytes &&
        std::max<int64_t>(is.MaxBytes, 0) != static_cast<int64_t>(limit_of(name, *how.max_bytes))) {
        return fmt::format("it has --max-bytes {}, not {}", is.MaxBytes, *how.max_bytes);
    }
    if (how.duplicate_window && is.Duplicates != window_of(how).count()) {
        return fmt::format("it has --duplicate-window {}, not {}",
                           format_duration(std::chrono::nanoseconds{is.Duplicates}),
                           format_duration(window_of(how)));
    }
    return {};
}

// Messages would be sent, and never answered.
std::string unfit(const jsStreamConfig& is, const std::string& sends_to) {
    if (is.NoAck) { return "it acknowledges nothing (no_ack)"; }
    const bool takes = std::any_of(is.Subjects, is.Subjects + is.SubjectsLen,
                                   [&](const char* each) { return takes_subject(each, sends_to); });
    return takes ? "" : fmt::format("it does not take messages to the subject {}", sends_to);
}

}  // namespace

bool takes_subject(std::string_view pattern, std::string_view subject) {
    for (;;) {
        const auto wanted = pattern.substr(0, pattern.find('.'));
        const auto got = subject.substr(0, subject.find('.'));
        if (wanted == ">") { return !got.empty(); }
        if (wanted != "*" && wanted != got) { return false; }
        const bool more = wanted.size() < pattern.size();
        if (more != (got.size() < subject.size())) { return false; }
        if (!more) { return true; }
        pattern.remove_prefix(wanted.size() + 1);
        subject.remove_prefix(got.size() + 1);
    }
}

void refuse_another(const std::string& stream) {
    throw error{
        errc::options_differ,
        fmt::format("stream {} was removed and made anew while we were at it: what it had is "
                    "gone, and its numbers begin again; start again with another consumer or "
                    "ring for the new one",
                    stream)};
}

std::string may_drop(const stream_extent& stream, const std::string& name) {
    if (stream.max_bytes == 0) { return {}; }
    if (stream.discards_old) {
        return fmt::format(
            "stream {} discards its oldest messages when it is full, read or not; make it discard "
            "new ones (discard: new) to keep all",
            name);
    }
    const auto unit = unit_of(name);
    if (stream.max_bytes % unit == 0 && stream.bytes % unit == 0) { return {}; }
    return fmt::format(
        "stream {} was not made or not filled by ringpipe alone: before 2.10.5 nats-server may "
        "discard its oldest messages when it is full; give it room, or a newer server",
        name);
}

stream_extent open_stream(const connection& at, jsCtx* context, const std::string& name,
                          const stream_options& how, const std::string& sends_to) {
    jsErrCode code = no_code;
    stream_extent extent;
    const auto refuse_it = [&](const std::string& why) {
        throw error{errc::options_differ,
                    fmt::format("cannot use stream {} at {}: {}; leave that option out, choose "
                                "another stream, or change this one",
                                name, at.servers(), why)};
    };
    auto status = ask_patiently(
        [&](jsErrCode* c) {
            jsStreamInfo* raw = nullptr;
            const auto got = js_GetStreamInfo(&raw, context, name.c_str(), nullptr, c);
            const stream_info info{raw};
            if (got == NATS_OK) { extent = extent_in(*info); }
            if (got != NATS_OK || sends_to.empty()) { return got; }
            for (const auto& why :
                 {difference(name, *info->Config, how), unfit(*info->Config, sends_to)}) {
                if (!why.empty()) { refuse_it(why); }
            }
            return got;
        },
        code);
    if (status == NATS_OK) { return extent; }
    if (status != NATS_NOT_FOUND) { refuse(at, "find stream " + name, status, code); }
    if (!how.create) {
        throw error{
            errc::input_not_found,
            fmt::format("there is no stream {} at {}; --create makes it", name, at.servers())};
    }
    status = create(context, name, how, extent, code);
    // Somebody else has just made it, with other settings: it is looked at like any other.
    if (code == JSStreamNameExistErr) { return open_stream(at, context, name, how, sends_to); }
    if (status != NATS_OK) { refuse(at, "create stream " + name, status, code); }
    return extent;
}

std::optional<stream_extent> extent_of(const connection& at, jsCtx* context,
                                       const std::string& stream) {
    jsErrCode code = no_code;
    jsStreamInfo* raw = nullptr;
    if (js_GetStreamInfo(&raw, context, stream.c_str(), nullptr, &code) != NATS_OK) {
        at.check();
        return std::nullopt;
    }
    const stream_info about{raw};
    return extent_in(*about);
}

std::optional<std::uint64_t> unfinished_of(jsCtx* context, const std::string& stream,
                                           const std::string& consumer) {
    jsConsumerInfo* raw = nullptr;
    if (js_GetConsumerInfo(&raw, context, stream.c_str(), consumer.c_str(), nullptr, nullptr) !=
        NATS_OK) {
        return std::nullopt;
    }
    const consumer_info info{raw};
    return info->NumPending + static_cast<std::uint64_t>(info->NumAckPending);
}

consumer_place open_durable(const connection& at, jsCtx* context, const std::string& stream,
                            const std::string& name, const std::string& subject) {
    jsConsumerConfig config;
    jsConsumerConfig_Init(&config);
    config.Durable = name.c_str();
    config.DeliverPolicy = js_DeliverAll;
    config.AckWait = std::chrono::nanoseconds{std::chrono::seconds{30}}.count();
    config.MaxAckPending = max_unacknowledged;
    if (!subject.empty()) { config.FilterSubject = subject.c_str(); }

    jsErrCode code = no_code;
    consumer_place place;
    const auto status = ask_patiently(
        [&](jsErrCode* c) {
            jsStreamInfo* raw_stream = nullptr;
            auto got = js_GetStreamInfo(&raw_stream, context, stream.c_str(), nullptr, c);
            const stream_info about{raw_stream};
            if (got != NATS_OK) { return got; }
            place.stream = extent_in(*about);
            config.AckPolicy = place.stream.removes_what_was_read ? js_AckExplicit : js_AckAll;
            jsConsumerInfo* raw = nullptr;
            got = js_GetConsumerInfo(&raw, context, stream.c_str(), name.c_str(), nullptr, c);
            if (got == NATS_NOT_FOUND) {
                got = js_AddConsumer(&raw, context, stream.c_str(), &config, nullptr, c);
            }
            const consumer_info info{raw};
            if (got != NATS_OK) { return got; }
            place.acknowledged = info->AckFloor.Stream;
            place.acknowledges_each = info->Config->AckPolicy != js_AckAll;
            const std::string filter =
                info->Config->FilterSubject != nullptr ? info->Config->FilterSubject : "";
            if (filter != subject) {
                throw error{errc::options_differ,
                            fmt::format("consumer {} of stream {} is there with the subject '{}' "
                                        "instead of '{}'; use another consumer",
                                        name, stream, filter, subject)};
            }
            return got;
        },
        code);
    if (status != NATS_OK) { refuse(at, "open consumer " + name, status, code); }
    return place;
}

}  // namespace ringpipe::bridge
