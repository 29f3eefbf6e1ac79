// Three servers that hold each message three times; bridges and servers are killed at random.
#ifdef RINGPIPE_HAS_BRIDGE

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>

#include "tests/support/bridge_program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE(
    "bridge: over a cluster whose servers are killed each message arrives once and in order") {
    // Three servers and their elections take longer than all other tests together.
    if (std::getenv("RINGPIPE_LONG") == nullptr) {
        MESSAGE("skipped: only with scripts/test --long");
        return;
    }
    constexpr int messages = 100'000;
    constexpr int kills = 20;
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};

    nats_cluster cluster;
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(1 << 20));
    const auto to = ring::create(there.str(), small(8 << 20));
    const auto address = cluster.url() + "/jobs";
    // So slowly that the kills meet it on its way.
    producer_program source{{here, "--rate", std::to_string(messages / kills / 2)},
                            {.input = numbers(1, messages)}};
    const words out_words{"out", here.str(), address, "--create", "--replicas", "3", "--stats"};
    const words in_words{"in", address, there.str(), "--stats"};
    auto out = std::make_unique<bridge_program>(out_words);
    // `in` ends if there is no stream yet: wait until something of it was acknowledged.
    const bool under_way = eventually([&] {
        const auto now = from.status();
        return now.messages > 0 && now.groups.size() == 1 && now.groups[0].lag_messages == 0 &&
               now.used_bytes < now.bytes;
    });
    INFO(out->err());
    REQUIRE(under_way);
    auto in = std::make_unique<bridge_program>(in_words);

    // The second after it is there again belongs to Raft.
    for (int i = 0; i < kills; ++i) {
        const auto before = to.status().messages;
        const auto patient = clock::now() + 60s;
        while (to.status().messages <= before && clock::now() < patient &&
               to.status().messages < static_cast<std::uint64_t>(messages)) {
            std::this_thread::sleep_for(10ms);
        }
        switch (i % 3) {
            case 0: {
                auto& victim = cluster[random() % 3];
                victim.kill();
                std::this_thread::sleep_for(std::chrono::milliseconds{random() % 500});
                victim.start();
                break;
            }
            case 1:
                out->signal(SIGKILL);
                (void)out->wait();
                out = std::make_unique<bridge_program>(out_words);
                break;
            default:
                in->signal(SIGKILL);
                (void)in->wait();
                in = std::make_unique<bridge_program>(in_words);
        }
    }
    CHECK(source.wait(60s) == 0);
    CHECK(out->wait(60s) == 0);
    CHECK(in->wait(60s) == 0);
    INFO(out->err());
    INFO(in->err());
    consumer_program last{{there}};
    CHECK(last.wait() == 0);
    const auto came = last.out();
    const auto wanted = numbers(1, messages);
    const auto differs = std::mismatch(came.begin(), came.end(), wanted.begin(), wanted.end());
    const auto at = static_cast<std::size_t>(differs.first - came.begin());
    INFO("came: ", came.substr(at > 20 ? at - 20 : 0, 80));
    // Whether it is the stream that has lost something.
    const bridge::connection over{{.servers = cluster.url()}};
    const bridge::handle<jsCtx, jsCtx_Destroy> context{over.make_context()};
    const auto stream = bridge::extent_of(over, context.get(), "jobs");
    INFO("the stream's last is ", stream ? stream->last : 0);
    INFO("of ", came.size(), " bytes instead of ", wanted.size());
    CHECK((came == wanted));
}

#endif
