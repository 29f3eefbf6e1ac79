// ringpipe bridge: streams that are full, have lost something, or do not deliver what they have.
#ifdef RINGPIPE_HAS_BRIDGE

#include <signal.h>

#include <algorithm>

#include "bridge/padding.hpp"
#include "tests/support/bridge_program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// A stream that is filled by hand, and a ring that `bridge in` brings it to.
struct filled_by_hand {
    filled_by_hand() { user.make_stream("jobs", "jobs"); }

    // `bridge in` until that many messages have come; then it gets the signal.
    void read_until(std::uint64_t messages, int signal) const {
        bridge_program in{in_words};
        REQUIRE(eventually([&] { return to.status().messages == messages; }));
        in.signal(signal);
        REQUIRE(in.wait() == 128 + signal);
    }

    const nats_server server;
    const by_hand user{server};
    const unique_ring there;
    const ring to = ring::create(there.str(), small(65536));
    const words in_words{"in", server.url() + "/jobs", there};
};

// That a consumer gets all this, and ends so.
void check_content(const unique_ring& there, std::string_view content, int code) {
    consumer_program last{{there}};
    CHECK(last.wait() == code);
    CHECK(last.out() == content);
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
    REQUIRE(eventually([&] { return out.last_error().starts_with("maximum bytes exceeded"); }));
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

TEST_CASE("bridge: a full stream keeps its oldest messages, whatever their sizes") {
    const nats_server server;
    const by_hand user{server};
    for (std::size_t size = 0; size < 64; size += 3) {
        CAPTURE(size);
        const unique_ring here;
        const auto from = ring::create(here.str(), small(65536));
        producer source{from};
        const auto stream = "s" + std::to_string(size);
        bridge_program out{
            {"out", here, server.url() + "/" + stream, "--create", "--max-bytes", "4KiB"}};
        for (int i = 0; i < 40; ++i) { send_all(source, {std::string(size, 'x')}); }
        REQUIRE(eventually([&] { return out.last_error().starts_with("maximum bytes exceeded"); }));
        const auto has = user.extent(stream.c_str());
        CHECK(has.first == 1);
        CHECK(has.last > 10);
        CHECK(has.bytes % bridge::unit_of(stream) == 0);
    }
}

TEST_CASE("bridge: a stream that may drop its oldest messages when it is full is told of") {
    const nats_server server;
    const by_hand user{server};
    user.make_stream("old", "old", [](jsStreamConfig& c) { c.MaxBytes = 6400; });
    user.make_stream("odd", "odd", [](jsStreamConfig& c) {
        c.MaxBytes = 6401;
        c.Discard = js_DiscardNew;
    });
    const auto said_of = [&](const std::string& stream) {
        const unique_ring here;
        const auto from = ring::create(here.str(), small(65536));
        producer{from}.close();
        bridge_program out{{"out", here, server.url() + "/" + stream}};
        CHECK(out.wait() == 0);
        return out.err();
    };
    CHECK(said_of("old").find("discards its oldest messages") != std::string::npos);
    CHECK(said_of("odd").find("before 2.10.5 nats-server may discard") != std::string::npos);
}

TEST_CASE("bridge: what somebody removed from the stream unread is missed") {
    const nats_server server;
    const by_hand user{server};
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(65536));
    const auto address = server.url() + "/jobs";
    {
        producer source{from};
        send_all(source, {"1", "2", "3", "4", "5"});
        source.close();
    }
    const char* how = "limits";
    SUBCASE("of a stream that keeps what was read") {}
    SUBCASE("of a work queue") { how = "workqueue"; }
    bridge_program out{{"out", here, address, "--create", "--retention", how}};
    REQUIRE(out.wait() == 0);
    user.remove("jobs", 2);
    user.remove("jobs", 4);
    bridge_program in{{"in", address, there}};
    CHECK(in.wait() == 3);
    CHECK(in.err().find("2 messages were no longer in the stream") != std::string::npos);
    check_content(there, "1\n3\n5\n", 3);
}

TEST_CASE(
    "bridge: what the server takes for acknowledged, and the ring has not, is read all the same") {
    const nats_server server;
    const by_hand user{server};
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(65536));
    const auto to = ring::create(there.str(), small(65536));
    const auto address = server.url() + "/jobs";
    words out_words{"out", here, address, "--create"};
    words in_words{"in", address, there};
    SUBCASE("of a whole stream") {}
    SUBCASE("of a partition") {
        out_words.insert(out_words.end(), {"--partition-by", "hash", "--partitions", "1"});
        in_words.insert(in_words.end(), {"--partition", "0"});
    }
    producer source{from};
    send_all(source, {"1", "2", "3"});
    bridge_program out{out_words};
    REQUIRE(eventually([&] { return user.extent("jobs").last == 3; }));
    {
        bridge_program in{in_words};
        REQUIRE(eventually([&] { return to.status().messages == 3; }));
        in.signal(SIGINT);
        REQUIRE(in.wait() == 130);
    }
    send_all(source, {"4", "5"});
    source.close();
    REQUIRE(out.wait() == 0);
    user.take("jobs", "default", 3);  // and the end
    bridge_program in{in_words};
    CHECK(in.wait() == 0);
    check_content(there, "1\n2\n3\n4\n5\n", 0);
}

TEST_CASE("bridge: behind an end, in the middle of a stream, the next one goes on") {
    const filled_by_hand sut;
    sut.user.publish("jobs", "1");
    sut.read_until(1, SIGKILL);
    sut.user.publish("jobs", "2");
    sut.user.publish("jobs", "", "sequence=2 end=clean");
    sut.user.publish("jobs", "3");
    sut.user.publish("jobs", "4");
    sut.user.publish("jobs", "", "sequence=4 end=clean");
    SUBCASE("as it is delivered") {}
    SUBCASE("as it is read from the stream, when what is behind it is delivered") {
        sut.user.take("jobs", "default", 3);
    }
    {
        bridge_program in{sut.in_words};
        CHECK(in.wait() == 0);
        CHECK(sut.to.status().messages == 2);
    }
    bridge_program in{sut.in_words};
    CHECK(in.wait() == 0);
    check_content(sut.there, "1\n2\n3\n4\n", 0);
}

TEST_CASE("bridge: what limits removed from a partition while its reader was held up is missed") {
    const nats_server server;
    const by_hand user{server};
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(1 << 20));
    const auto to = ring::create(there.str(), small(65536));
    const auto address = server.url() + "/jobs";
    bridge_program out{{"out", here, address, "--create", "--max-age", "4s", "--partition-by",
                        "hash", "--partitions", "1"}};
    REQUIRE(eventually([&] { return user.has("jobs"); }));
    bridge_program in{{"in", address, there, "--partition", "0", "--batch", "1"}};
    REQUIRE(eventually([&] { return to.status().producers == 1; }));
    producer source{from};
    send_all(source, {"first"});
    REQUIRE(eventually([&] { return to.status().messages == 1; }));
    // More than the ring takes: the rest waits in the stream, and goes.
    for (int i = 0; i < 40; ++i) { send_all(source, {std::string(4096, 'x')}); }
    REQUIRE(eventually([&] { return user.extent("jobs").first > 41; }));
    consumer_program last{{there}};
    send_all(source, {"last"});
    source.close();
    CHECK(out.wait() == 0);
    CHECK(in.wait() == 3);
    CHECK(in.err().find("at least ") != std::string::npos);
    CHECK(last.wait() == 3);
}

TEST_CASE("bridge: a loss is not forgotten when another goes on") {
    const filled_by_hand sut;
    for (const auto* text : {"1", "2", "3"}) { sut.user.publish("jobs", text); }
    sut.user.remove("jobs", 2);
    sut.read_until(2, SIGINT);
    sut.user.publish("jobs", "4");
    sut.user.publish("jobs", "", "sequence=4 end=clean");
    bridge_program in{sut.in_words};
    CHECK(in.wait() == 0);
    check_content(sut.there, "1\n3\n4\n", 3);
}

TEST_CASE("bridge: who comes again behind the end of a stream is told it again") {
    const filled_by_hand sut;
    sut.user.publish("jobs", "1");
    sut.user.publish("jobs", "", "sequence=1 end=clean");
    for (int i = 0; i < 2; ++i) {
        bridge_program in{sut.in_words};
        CHECK(in.wait() == 0);
    }
    check_content(sut.there, "1\n", 0);
}

TEST_CASE("bridge: a stream that is made anew under a reader is refused") {
    const filled_by_hand sut;
    sut.user.publish("jobs", "1");
    bridge_program in{sut.in_words};
    REQUIRE(eventually([&] { return sut.to.status().messages == 1; }));
    sut.user.remove_stream("jobs");
    sut.user.make_stream("jobs", "jobs");
    sut.user.publish("jobs", "another");
    CHECK(in.wait() == 78);
    CHECK(in.err().find("made anew") != std::string::npos);
    CHECK(sut.to.status().messages == 1);
}

#endif
