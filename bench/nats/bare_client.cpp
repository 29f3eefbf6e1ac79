#include "bench/nats/bare_client.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/team.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::bench {
namespace {

using bridge::handle;
using context = handle<jsCtx, jsCtx_Destroy>;

void need(natsStatus status, std::string_view what, jsErrCode code = static_cast<jsErrCode>(0)) {
    if (stop_requested()) { throw interrupted{stop_signal()}; }
    if (status == NATS_OK) { return; }
    throw std::runtime_error{fmt::format("cannot {}: {}", what, bridge::words_for(status, code))};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void make_stream(const bridge::connection& at, const std::string& name) {
    const context js{at.make_context()};
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const char* subjects[] = {name.c_str()};
    config.Name = name.c_str();
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    jsErrCode code{};
    need(js_AddStream(nullptr, js.get(), &config, nullptr, &code), "make a stream", code);
}

void remove_stream(const bridge::connection& at, const std::string& name) {
    const context js{at.make_context()};
    jsErrCode code{};
    need(js_DeleteStream(js.get(), name.c_str(), nullptr, &code), "remove a stream", code);
}

std::uint64_t messages_in_stream(const bridge::connection& at, const std::string& name) {
    const context js{at.make_context()};
    jsStreamInfo* raw = nullptr;
    jsErrCode code{};
    need(js_GetStreamInfo(&raw, js.get(), name.c_str(), nullptr, &code), "look at a stream", code);
    const handle<jsStreamInfo, jsStreamInfo_Destroy> info{raw};
    return info->State.Msgs;
}

double publish_bare(const bridge::connection& at, const std::string& stream, std::uint64_t messages,
                    std::size_t size, bool with_ids) {
    const context js{at.make_context()};
    const std::vector<char> payload(size, 'x');
    const auto start = std::chrono::steady_clock::now();
    jsPubOptions options;
    jsPubOptions_Init(&options);
    for (std::uint64_t i = 0; i < messages; ++i) {
        const auto id = with_ids ? std::to_string(i) : std::string{};
        if (with_ids) { options.MsgId = id.c_str(); }
        need(js_PublishAsync(js.get(), stream.c_str(), payload.data(), static_cast<int>(size),
                             with_ids ? &options : nullptr),
             "publish");
    }
    jsPubOptions patience;
    jsPubOptions_Init(&patience);
    patience.MaxWait = 120'000;
    need(js_PublishAsyncComplete(js.get(), &patience), "wait for the acknowledgements");
    const auto took = seconds_since(start);
    if (const auto stored = messages_in_stream(at, stream); stored != messages) {
        throw std::runtime_error{
            fmt::format("of {} messages {} are in the stream", messages, stored)};
    }
    return took;
}

double fetch_bare(const bridge::connection& at, const std::string& stream, std::uint64_t messages,
                  std::size_t size, int batch, acknowledging how) {
    const bool each = how == acknowledging::each_message;
    const context js{at.make_context()};
    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Stream = stream.c_str();
    // More may be under way than by default, as for `bridge in`.
    options.Config.MaxAckPending = 100'000;
    options.Config.AckPolicy = each ? js_AckExplicit : js_AckAll;
    jsErrCode code{};
    natsSubscription* raw = nullptr;
    const auto start = std::chrono::steady_clock::now();
    need(js_PullSubscribe(&raw, js.get(), stream.c_str(), each ? "each" : "batch", nullptr,
                          &options, &code),
         "subscribe", code);
    const handle<natsSubscription, natsSubscription_Destroy> from{raw};
    for (std::uint64_t got = 0; got < messages;) {
        natsMsgList list{nullptr, 0};
        need(natsSubscription_Fetch(&list, from.get(), batch, 10'000, &code), "fetch", code);
        for (int i = 0; i < list.Count; ++i) {
            if (natsMsg_GetDataLength(list.Msgs[i]) == static_cast<int>(size)) { ++got; }
            if (each || i + 1 == list.Count) { (void)natsMsg_Ack(list.Msgs[i], nullptr); }
        }
        natsMsgList_Destroy(&list);
    }
    need(natsConnection_FlushTimeout(at.get(), 10'000), "send the last acknowledgements");
    return seconds_since(start);
}

}  // namespace ringpipe::bench
