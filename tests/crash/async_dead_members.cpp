// Killed and stopped members under waiting operations: the loop goes on.
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/async_consumer.hpp"
#include "async/async_producer.hpp"
#include "tests/support/child.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("async: a producer killed under a waiting receive ends the stream as truncated") {
    const a_ring sut;
    child sender{[&](const in_child& self) {
        producer out{sut.ring};
        self.tell_and_stay();
        return 0;
    }};
    REQUIRE(sender.await());
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    error_code result;
    in.async_receive([&](error_code code, const async_message&) { result = code; });
    REQUIRE(waits_for_messages(sut.name));
    sender.kill();
    run(loop);
    CHECK(result == make_error_code(stream_error::truncated));
}

TEST_CASE("async: what a killed consumer held comes to a waiting receive and is marked") {
    const a_ring sut;
    producer out{sut.ring};
    out.send(bytes("orphan"));
    child holder{[&](const in_child& self) {
        consumer other{sut.ring};
        (void)other.receive_for(patience);
        self.tell_and_stay();
        return 0;
    }};
    REQUIRE(holder.await());
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    std::string got;
    bool marked = false;
    in.async_receive([&](error_code, async_message message) {
        got = message.text();
        marked = message.redelivered();
        message.acknowledge();
    });
    REQUIRE(waits_for_messages(sut.name));
    loop.poll();
    CHECK(got.empty());
    holder.kill();
    run(loop);
    CHECK(got == "orphan");
    CHECK(marked);
}

TEST_CASE("async: a loop ticks on while the tail lock is held by a stopped member") {
    const a_ring sut;
    // Stopped somewhere in a storm of sends: often enough inside the lock.
    child holder{[&](const in_child& self) {
        producer other{sut.ring};
        self.tell();
        for (;;) { (void)other.try_send(bytes("x")); }
        return 0;
    }};
    REQUIRE(holder.await());
    asio::io_context loop;
    async_producer out{loop, sut.ring};
    for (int round = 0; round < 5; ++round) {
        ::kill(holder.pid(), SIGSTOP);
        out.async_send("y", [](error_code) {});
        const stopwatch watch;
        bool ticked = false;
        asio::steady_timer timer{loop, std::chrono::milliseconds{1}};
        timer.async_wait([&](error_code) { ticked = true; });
        loop.restart();
        while (!ticked) { loop.run_one_for(patience); }
        CHECK(watch.elapsed() < soon);
        ::kill(holder.pid(), SIGCONT);
        out.cancel();
    }
    holder.kill();
}
