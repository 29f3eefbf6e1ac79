// ringpipe bridge: from a ring to a stream and back, and what happens when one of them dies.
#ifdef RINGPIPE_HAS_BRIDGE

#include <signal.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "tests/support/bridge_program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

void send(const std::string& ring, const std::string& input, std::vector<std::string> more = {}) {
    more.insert(more.begin(), ring);
    producer_program out{more, {.input = input}};
    REQUIRE(out.wait() == 0);
}

std::string receive(const std::string& ring, std::vector<std::string> more = {}) {
    more.insert(more.begin(), ring);
    consumer_program in{more};
    const int code = in.wait();
    INFO(in.err());
    CHECK(code == 0);
    return in.out();
}

}  // namespace

TEST_CASE("bridge: what goes into a ring comes out of another, in order and with its end") {
    const nats_server server;
    const unique_ring here;
    const unique_ring there;
    send(here, numbers(1, 5000));
    bridge_program out{{"out", here, server.url() + "/jobs", "--create", "--stats"}};
    const int out_code = out.wait();
    INFO(out.err());
    CHECK(out_code == 0);
    bridge_program in{{"in", server.url() + "/jobs", there, "--stats"}};
    const int in_code = in.wait();
    INFO(in.err());
    CHECK(in_code == 0);
    CHECK((receive(there) == numbers(1, 5000)));
}

TEST_CASE("bridge: empty and binary and very large messages keep their bytes") {
    const nats_server server{"max_payload: 4096\n"};
    const unique_ring here;
    const unique_ring there;
    std::string framed;
    for (const std::size_t size : {0U, 1U, 0U, 3071U, 3072U, 3073U, 200'000U, 0U, 5U}) {
        const auto length = static_cast<std::uint32_t>(size);
        framed.append(reinterpret_cast<const char*>(&length), sizeof length);
        framed += pattern(size, size);
    }
    send(here, framed, {"--framing", "length"});
    bridge_program out{{"out", here, server.url() + "/jobs", "--create"}};
    CHECK(out.wait() == 0);
    bridge_program in{{"in", server.url() + "/jobs", there}};
    CHECK(in.wait() == 0);
    CHECK((receive(there, {"--framing", "length"}) == framed));
}

TEST_CASE("bridge: a work queue is empty when all of it, small or in parts, is in the ring") {
    const nats_server server;
    const by_hand user{server};
    const unique_ring here;
    const unique_ring there;
    const std::string large(3 << 20, 'x');
    const auto input = "a\n" + large + "\nb\n";
    send(here, input);
    bridge_program out{
        {"out", here, server.url() + "/jobs", "--create", "--retention", "workqueue"}};
    REQUIRE(out.wait() == 0);
    REQUIRE(user.extent("jobs").bytes > large.size());
    bridge_program in{{"in", server.url() + "/jobs", there}};
    CHECK(in.wait() == 0);
    CHECK((receive(there) == input));
    CHECK(eventually([&] { return user.extent("jobs").bytes == 0; }));
}

TEST_CASE("bridge: a truncated stream arrives truncated") {
    const nats_server server;
    const unique_ring here;
    const unique_ring there;
    producer_program bad{{here, "--framing", "length"}, {.input = std::string{"\1\0\0\0x\7", 6}}};
    CHECK(bad.wait() == 65);
    bridge_program out{{"out", here, server.url() + "/jobs", "--create"}};
    CHECK(out.wait() == 3);
    bridge_program in{{"in", server.url() + "/jobs", there}};
    CHECK(in.wait() == 3);
    consumer_program last{{there}};
    CHECK(last.wait() == 3);
    CHECK(last.out() == "x\n");
}

TEST_CASE("bridge: killed again and again both sides lose nothing and send nothing twice") {
    const nats_server server;
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(1 << 20));
    const auto to = ring::create(there.str(), small(1 << 20));
    // So slowly that each kill meets it on its way.
    producer_program source{{here, "--rate", "4k"}, {.input = numbers(1, 20'000)}};
    const auto address = server.url() + "/jobs";
    auto out = std::make_unique<bridge_program>(words{"out", here, address, "--create"});
    REQUIRE(eventually([&] {
        const auto now = from.status();
        return now.messages > 0 && now.used_bytes < now.bytes;  // some is in the stream
    }));
    auto in = std::make_unique<bridge_program>(words{"in", address, there});
    for (int i = 0; i < 5; ++i) {
        const auto before = to.status().messages;
        // On a busy machine all of it may be there already.
        REQUIRE(eventually([&] {
            const auto now = to.status().messages;
            return now > before || now == 20'000;
        }));
        if (to.status().messages > 18'000) { break; }  // they may end by themselves
        out->signal(SIGKILL);
        in->signal(SIGKILL);
        CHECK(out->wait() == 128 + SIGKILL);
        CHECK(in->wait() == 128 + SIGKILL);
        out = std::make_unique<bridge_program>(words{"out", here, address});
        in = std::make_unique<bridge_program>(words{"in", address, there});
    }
    CHECK(source.wait() == 0);
    CHECK(out->wait() == 0);
    CHECK(in->wait() == 0);
    const auto came = receive(there);
    const auto wanted = numbers(1, 20'000);
    const auto differs = std::mismatch(came.begin(), came.end(), wanted.begin(), wanted.end());
    const auto at = static_cast<std::size_t>(differs.first - came.begin());
    INFO("came: ", came.substr(at > 20 ? at - 20 : 0, 80), " of ", came.size(), " bytes, not ",
         wanted.size());
    CHECK((came == wanted));
}

TEST_CASE("bridge: a server that is killed and comes back loses nothing") {
    nats_server server;
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(1 << 20));
    const auto to = ring::create(there.str(), small(1 << 20));
    const auto address = server.url() + "/jobs";
    const pipe_ends typed;
    producer_program source{{here, "--rate", "2k"}, {.input = numbers(1, 5000)}};
    bridge_program out{{"out", here, address, "--create"}};
    REQUIRE(eventually([&] { return from.status().consumers == 1; }));
    REQUIRE(eventually([&] { return from.status().groups.at(0).lag_messages < 4000; }));
    bridge_program in{{"in", address, there}};
    for (int i = 0; i < 2; ++i) {
        const auto before = to.status().messages;
        // On a busy machine all of it may be there already.
        REQUIRE(eventually([&] {
            const auto now = to.status().messages;
            return now > before || now == 5000;
        }));
        server.kill();
        server.start();
    }
    CHECK(source.wait() == 0);
    CHECK(out.wait() == 0);
    CHECK(in.wait() == 0);
    CHECK((receive(there) == numbers(1, 5000)));
}

TEST_CASE("bridge: what the stream's limits removed unread is told and never looks complete") {
    const nats_server server;
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(65536));
    const auto to = ring::create(there.str(), small(65536));
    const auto address = server.url() + "/jobs";
    producer source{from};
    bridge_program out{{"out", here, address, "--create", "--max-age", "2s"}};
    const auto send_and_store = [&](int first, int last) {
        for (int i = first; i <= last; ++i) { send_all(source, {std::to_string(i)}); }
        REQUIRE(eventually([&] {
            const auto now = from.status();
            return !now.groups.empty() && now.groups.front().lag_bytes == 0;
        }));
    };
    const by_hand user{server};
    REQUIRE(eventually([&] { return user.has("jobs"); }));
    {
        // There before they are sent: what is slow to come would be removed.
        bridge_program in{{"in", address, there}};
        REQUIRE(eventually([&] { return to.status().producers == 1; }));
        send_and_store(1, 10);
        REQUIRE(eventually([&] { return to.status().messages == 10; }));
        in.signal(SIGINT);
        REQUIRE(in.wait() == 130);
    }
    send_and_store(11, 20);
    REQUIRE(eventually([&] { return user.extent("jobs").first > 20; }));
    bridge_program in{{"in", address, there}};
    REQUIRE(eventually([&] { return to.status().producers == 1; }));
    send_and_store(21, 25);
    source.close();
    CHECK(out.wait() == 0);
    CHECK(in.wait() == 3);
    CHECK(in.err().find("10 messages were no longer in the stream") != std::string::npos);
    consumer_program last{{there}};
    CHECK(last.wait() == 3);
    CHECK((last.out() == numbers(1, 10) + numbers(21, 25)));
}

TEST_CASE("bridge: each partition keeps its own order") {
    const nats_server server;
    const unique_ring here;
    const unique_ring left;
    const unique_ring right;
    std::string input;
    for (int i = 0; i < 2000; ++i) {
        input += "key" + std::to_string(i % 7) + "," + std::to_string(i) + "\n";
    }
    send(here, input);
    const auto address = server.url() + "/jobs";
    bridge_program out{
        {"out", here, address, "--create", "--partition-by", "field:1", "--partitions", "2"}};
    CHECK(out.wait() == 0);
    bridge_program first{{"in", address + "/left", left, "--partition", "0"}};
    bridge_program second{{"in", address + "/right", right, "--partition", "1"}};
    CHECK(first.wait() == 0);
    CHECK(second.wait() == 0);
    const auto texts = {receive(left), receive(right)};
    std::size_t lines = 0;
    for (const auto& text : texts) {
        int last[7] = {-1, -1, -1, -1, -1, -1, -1};
        std::istringstream all{text};
        for (std::string line; std::getline(all, line); ++lines) {
            const int key = line.at(3) - '0';
            const int number = std::stoi(line.substr(5));
            CHECK(number > last[key]);
            last[key] = number;
        }
    }
    CHECK(lines == 2000);
}

TEST_CASE("bridge: what cannot work ends with one line and a code") {
    const nats_server server{"authorization { user: me, password: secret }\n"};
    const unique_ring here;
    send(here, "a\n");
    const auto refused = [&](std::vector<std::string> arguments, int code) {
        bridge_program sut{std::move(arguments)};
        CHECK(sut.wait() == code);
        const auto err = sut.err();
        CAPTURE(err);
        CHECK(is_one_line(err, "ringpipe: "));
        CHECK(err.find("wrong") == std::string::npos);
    };
    const auto port = std::to_string(server.port());
    refused({"out", here, server.url() + "/jobs"}, 77);
    refused({"out", here, "nats://me:wrong@127.0.0.1:" + port + "/jobs"}, 77);
    refused({"out", here, "nats://me:secret@127.0.0.1:" + port + "/jobs"}, 66);
    refused({"out", here, "nats://127.0.0.1:" + port}, 64);
    refused({"out", here, "nats://127.0.0.1:1/jobs"}, 74);
    refused({"out", here, server.url() + "/jobs", "--tls-ca", "/no/such/file"}, 74);
    bridge_program good{{"out", here, "nats://me:secret@127.0.0.1:" + port + "/jobs", "--create"}};
    CHECK(good.wait() == 0);
}

TEST_CASE("bridge: Ctrl-C ends it cleanly and the next one goes on") {
    const nats_server server;
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(1 << 20));
    const pipe_ends typed;
    producer_program source{{here}, {.in = typed.read.get()}};
    const auto address = server.url() + "/jobs";
    {
        bridge_program out{{"out", here, address, "--create"}};
        REQUIRE(::write(typed.write.get(), "a\nb\n", 4) == 4);
        REQUIRE(eventually([&] {
            const auto now = from.status();
            return now.messages == 2 && now.groups.size() == 1 && now.groups[0].lag_bytes == 0;
        }));
        bridge_program in{{"in", address, there}};
        REQUIRE(eventually(
            [&] { return there.exists() && ring::open(there.str()).status().messages == 2; }));
        out.signal(SIGINT);
        in.signal(SIGINT);
        CHECK(out.wait() == 130);
        CHECK(in.wait() == 130);
    }
    source.signal(SIGKILL);
}

#endif
