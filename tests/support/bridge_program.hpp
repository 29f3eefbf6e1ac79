// `ringpipe bridge` as a user starts it, and what he may do to the server by hand.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "bridge/note.hpp"
#include "bridge/stream.hpp"
#include "bridge/wire.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/program.hpp"

namespace ringpipe::test {

using words = std::vector<std::string>;

struct bridge_program : program {
    explicit bridge_program(words arguments, const program_io& io = {})
        : program{"ringpipe", behind_bridge(std::move(arguments)), io} {}

    // Why it had to try something again; empty if it did not.
    [[nodiscard]] std::string last_error() const {
        const auto state = bridge::read_state_note(static_cast<std::uint32_t>(id()));
        return state ? state->last_error : "";
    }

  private:
    static words behind_bridge(words arguments) {
        arguments.insert(arguments.begin(), "bridge");
        return arguments;
    }
};

// What a user of NATS would do by hand.
struct by_hand {
    explicit by_hand(const nats_server& server)
        : over{{.servers = server.url()}}, context{over.make_context()} {}

    // Settings of one's own after jsStreamConfig_Init.
    template <class Set>
    void make_stream(const char* name, const char* subject, Set set) const {
        jsStreamConfig config;
        jsStreamConfig_Init(&config);
        config.Name = name;
        config.Subjects = &subject;
        config.SubjectsLen = 1;
        set(config);
        REQUIRE(js_AddStream(nullptr, context.get(), &config, nullptr, nullptr) == NATS_OK);
    }
    void make_stream(const char* name, const char* subject) const {
        make_stream(name, subject, [](jsStreamConfig&) {});
    }
    void purge(const char* name) const {
        REQUIRE(js_PurgeStream(context.get(), name, nullptr, nullptr) == NATS_OK);
    }
    void remove_stream(const char* name) const {
        REQUIRE(js_DeleteStream(context.get(), name, nullptr, nullptr) == NATS_OK);
    }
    void remove(const char* name, std::uint64_t sequence) const {
        REQUIRE(js_DeleteMsg(context.get(), name, sequence, nullptr, nullptr) == NATS_OK);
    }
    // `header`: a bridge's own, see bridge/wire.hpp; none if empty.
    void publish(const char* subject, const std::string& text,
                 const std::string& header = {}) const {
        natsMsg* raw = nullptr;
        REQUIRE(natsMsg_Create(&raw, subject, nullptr, text.data(),
                               static_cast<int>(text.size())) == NATS_OK);
        const bridge::message_handle message{raw};
        if (!header.empty()) {
            REQUIRE(natsMsgHeader_Set(raw, bridge::header_name, header.c_str()) == NATS_OK);
        }
        REQUIRE(js_PublishMsg(nullptr, context.get(), raw, nullptr, nullptr) == NATS_OK);
    }
    // As if a reader of that durable consumer had them.
    void take(const char* name, const char* consumer, int count) const {
        jsSubOptions how;
        jsSubOptions_Init(&how);
        how.Stream = name;
        how.Consumer = consumer;
        natsSubscription* raw = nullptr;
        REQUIRE(js_PullSubscribe(&raw, context.get(), nullptr, consumer, nullptr, &how, nullptr) ==
                NATS_OK);
        const bridge::handle<natsSubscription, natsSubscription_Destroy> from{raw};
        for (int i = 0; i < count; ++i) {
            natsMsgList list{nullptr, 0};
            REQUIRE(natsSubscription_Fetch(&list, raw, 1, 10'000, nullptr) == NATS_OK);
            CHECK(natsMsg_AckSync(list.Msgs[0], nullptr, nullptr) == NATS_OK);
            natsMsgList_Destroy(&list);
        }
    }
    [[nodiscard]] bool has(const char* name) const {
        return bridge::extent_of(over, context.get(), name).has_value();
    }
    [[nodiscard]] bridge::stream_extent extent(const char* name) const {
        return bridge::extent_of(over, context.get(), name).value_or(bridge::stream_extent{});
    }

    bridge::connection over;
    bridge::handle<jsCtx, jsCtx_Destroy> context;
};

}  // namespace ringpipe::test
