// ringpipe bridge out: what the stream has already is not taken for more than it is.
#ifdef RINGPIPE_HAS_BRIDGE

#include <fmt/format.h>

#include "bridge/stream.hpp"
#include "bridge/wire.hpp"
#include "shm/segment.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("bridge: that a message was stored before says nothing of those before it") {
    const nats_server server;
    const unique_ring here;
    const auto from = ring::create(here.str(), small(65536));
    const auto& id = from.shared()->header().creation_id;
    constexpr int messages = 60;
    const auto is_missing = [](int i) { return i == 29 || i == 30; };

    const bridge::connection over{{.servers = server.url()}};
    const bridge::handle<jsCtx, jsCtx_Destroy> context{over.make_context()};
    bridge::open_stream(over, context.get(), "jobs", {.create = true});
    producer source{from};
    for (int i = 0; i < messages; ++i) {
        const auto text = std::to_string(i);
        send_all(source, {text});
        if (is_missing(i)) { continue; }
        bridge::envelope about;
        about.source = fmt::format("{:016x}{:016x}", id[0], id[1]);
        about.sequence = static_cast<std::uint64_t>(i);
        std::string message_id;
        bridge::append_message_id(message_id, about);
        jsPubOptions options;
        jsPubOptions_Init(&options);
        options.MsgId = message_id.c_str();
        REQUIRE(js_Publish(nullptr, context.get(), "jobs", text.data(),
                           static_cast<int>(text.size()), &options, nullptr) == NATS_OK);
    }
    source.close();
    program out{"ringpipe", {"bridge", "out", here, server.url() + "/jobs"}};
    const int code = out.wait();
    INFO(out.err());
    CHECK(code == 0);
    const auto has = bridge::extent_of(over, context.get(), "jobs");
    REQUIRE(has);
    CHECK(has->last == messages + 1);  // each once, and the end
}

#endif
