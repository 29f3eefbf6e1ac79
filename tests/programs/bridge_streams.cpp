// ringpipe bridge: streams that are full, not there, or not as they were asked for; a second bridge.
#ifdef RINGPIPE_HAS_BRIDGE

#include <signal.h>

#include <algorithm>

#include "bridge/stream.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

using words = std::vector<std::string>;

struct bridge_program : program {
    explicit bridge_program(words arguments) : program{"ringpipe", behind_bridge(arguments)} {}
    static words behind_bridge(words arguments) {
        arguments.insert(arguments.begin(), "bridge");
        return arguments;
    }
};

// What a user of NATS would do by hand.
struct by_hand {
    explicit by_hand(const nats_server& server)
        : over{{.servers = server.url()}}, context{over.make_context()} {}

    void make_stream(const char* name, const char* subject, bool no_ack = false) const {
        jsStreamConfig config;
        jsStreamConfig_Init(&config);
        config.Name = name;
        config.Subjects = &subject;
        config.SubjectsLen = 1;
        config.NoAck = no_ack;
        REQUIRE(js_AddStream(nullptr, context.get(), &config, nullptr, nullptr) == NATS_OK);
    }
    void purge(const char* name) const {
        REQUIRE(js_PurgeStream(context.get(), name, nullptr, nullptr) == NATS_OK);
    }
    [[nodiscard]] std::uint64_t last(const char* name) const {
        const auto has = bridge::extent_of(over, context.get(), name);
        return has ? has->last : 0;
    }

    bridge::connection over;
    bridge::handle<jsCtx, jsCtx_Destroy> context;
};

// Why it had to try something again; empty if it did not.
std::string last_error_of(const program& bridge) {
    const auto state = bridge::read_state_note(static_cast<std::uint32_t>(bridge.id()));
    return state ? state->last_error : "";
}

void refuses(const words& arguments, int code, std::string_view why) {
    bridge_program sut{arguments};
    CHECK(sut.wait() == code);
    const auto err = sut.err();
    CAPTURE(err);
    CHECK(is_one_line(err, "ringpipe: "));
    CHECK(err.find(why) != std::string::npos);
}

}  // namespace

TEST_CASE("bridge: a full stream holds the producer back and loses nothing") {
    const nats_server server;
    const by_hand user{server};
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(65536));
    const auto to = ring::create(there.str(), small(4 << 20));
    const auto address = server.url() + "/jobs";
    constexpr int messages = 5000;
    producer_program source{{here}, {.input = numbers(1, messages)}};
    bridge_program out{
        {"out", here, address, "--create", "--max-bytes", "100KiB", "--retention", "workqueue"}};
    REQUIRE(eventually([&] { return last_error_of(out).starts_with("maximum bytes exceeded"); }));
    // Full is the stream, and then the ring: its producer waits.
    REQUIRE(eventually([&] {
        const auto now = from.status();
        return std::any_of(now.members.begin(), now.members.end(), [](const member_status& m) {
            return m.role == member_role::producer && m.waits_for == member_wish::room;
        });
    }));
    CHECK(from.status().messages < messages);
    // Whoever reads makes room.
    bridge_program in{{"in", address, there}};
    CHECK(source.wait() == 0);
    const int out_code = out.wait(60s);
    INFO(out.err());
    CHECK(out_code == 0);
    CHECK(in.wait(60s) == 0);
    consumer_program last{{there}};
    CHECK(last.wait() == 0);
    CHECK((last.out() == numbers(1, messages)));
}

TEST_CASE("bridge: a stream that is not there is made only if asked for") {
    const nats_server server;
    const unique_ring here;
    const auto from = ring::create(here.str(), small(65536));
    const auto address = server.url() + "/jobs";
    refuses({"out", here, address}, 66, "there is no stream jobs");
    refuses({"in", address, here}, 66, "there is no stream jobs");
}

TEST_CASE("bridge: a stream with other settings than those asked for is refused") {
    const nats_server server;
    const by_hand user{server};
    user.make_stream("jobs", "jobs");
    user.make_stream("other", "elsewhere");
    user.make_stream("silent", "silent", true);
    const unique_ring here;
    const auto from = ring::create(here.str(), small(65536));
    const auto refuses_with = [&](words more, std::string_view why) {
        words all{"out", here, server.url() + "/jobs", "--create"};
        all.insert(all.end(), more.begin(), more.end());
        refuses(all, 78, why);
    };
    refuses_with({"--replicas", "3"}, "it has --replicas 1, not 3");
    refuses_with({"--retention", "workqueue"}, "--retention");
    refuses_with({"--max-age", "1h"}, "--max-age");
    refuses_with({"--max-bytes", "1MiB"}, "--max-bytes");
    refuses_with({"--duplicate-window", "1m"}, "--duplicate-window");
    refuses_with({"--partition-by", "hash", "--partitions", "2"}, "the subject jobs.0");
    refuses({"out", here, server.url() + "/other"}, 78, "the subject other");
    refuses({"out", here, server.url() + "/silent"}, 78, "acknowledges nothing");
}

TEST_CASE("bridge: a second one between the same two is refused and the first goes on") {
    const nats_server server;
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(65536));
    const auto to = ring::create(there.str(), small(65536));
    const auto address = server.url() + "/jobs";
    producer source{from};
    send_all(source, {"a"});
    bridge_program out{{"out", here, address, "--create"}};
    const auto arrived = [&](std::uint64_t count) {
        return eventually([&] { return to.status().messages == count; });
    };
    REQUIRE(eventually([&] {
        const auto now = from.status();
        return !now.groups.empty() && now.groups.front().lag_bytes == 0;
    }));
    bridge_program in{{"in", address, there}};
    REQUIRE(arrived(1));
    refuses({"out", here, address}, 69, "another bridge out");
    refuses({"out", here, server.url() + "/more", "--create"}, 69, "another bridge out");
    refuses({"in", address, there}, 69, "a living one has that name");
    send_all(source, {"b"});
    REQUIRE(arrived(2));
    source.close();
    CHECK(out.wait() == 0);
    CHECK(in.wait() == 0);
}

TEST_CASE("bridge: a server that freezes holds it up and loses nothing") {
    nats_server server;
    const unique_ring here;
    const auto from = ring::create(here.str(), small(65536));
    const auto address = server.url() + "/jobs";
    producer source{from};
    bridge_program out{{"out", here, address, "--create"}};
    const auto all_stored = [&] {
        return eventually([&] {
            const auto now = from.status();
            return !now.groups.empty() && now.groups.front().lag_bytes == 0;
        });
    };
    send_all(source, {"a"});
    REQUIRE(all_stored());
    server.freeze();
    send_all(source, {"b", "c"});
    REQUIRE(eventually([&] { return last_error_of(out) == "it does not answer"; }));
    CHECK(from.status().groups.front().lag_bytes > 0);
    server.thaw();
    source.close();
    CHECK(out.wait(60s) == 0);
    const by_hand user{server};
    CHECK(user.last("jobs") == 4);  // and the end
}

#endif
