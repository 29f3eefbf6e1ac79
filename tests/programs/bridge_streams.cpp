// ringpipe bridge: streams that are not there, or not as they were asked for; a second bridge; a
// server that freezes.
#ifdef RINGPIPE_HAS_BRIDGE

#include "tests/support/bridge_program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

void refuses(const words& arguments, int code, std::string_view why) {
    bridge_program sut{arguments};
    CHECK(sut.wait() == code);
    const auto err = sut.err();
    CAPTURE(err);
    CHECK(is_one_line(err, "ringpipe: "));
    CHECK(err.find(why) != std::string::npos);
}

}  // namespace

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
    user.make_stream("silent", "silent", [](jsStreamConfig& c) { c.NoAck = true; });
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
    REQUIRE(eventually([&] { return out.last_error() == "it does not answer"; }));
    CHECK(from.status().groups.front().lag_bytes > 0);
    server.thaw();
    source.close();
    CHECK(out.wait(60s) == 0);
    const by_hand user{server};
    CHECK(user.extent("jobs").last == 4);  // and the end
}

#endif
