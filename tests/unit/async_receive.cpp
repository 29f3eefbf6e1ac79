// The reading end in an event loop: every completion token, order, cancellation, the end.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <thread>

#include "async/async_consumer.hpp"
#include "async/async_producer.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;
using namespace asio::experimental::awaitable_operators;

namespace {

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("async: a callback gets the message that is there and never before the call returns") {
    const a_ring sut;
    producer out{sut.ring};
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    send_all(out, {"one"});
    std::string got;
    receive_into(got, in);
    CHECK(got.empty());
    run(loop);
    CHECK(got == "one");
}

TEST_CASE("async: a coroutine that waits is woken by a message that is sent later") {
    const a_ring sut;
    producer out{sut.ring};
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    texts got;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 3; ++i) {
                auto message = co_await in.async_receive();
                got.emplace_back(message.text());
                message.acknowledge();
            }
        },
        asio::detached);
    std::thread sender{[&] {
        for (const auto* text : {"a", "b", "c"}) {
            CHECK(waits_for_messages(sut.name));
            out.send(bytes(text));
        }
    }};
    run(loop);
    sender.join();
    CHECK(got == texts{"a", "b", "c"});
}

TEST_CASE("async: use_future and deferred and as_tuple work as everywhere in Asio") {
    const a_ring sut;
    producer out{sut.ring};
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    auto future = in.async_receive(asio::use_future);
    auto later = in.async_receive(asio::deferred);
    send_all(out, {"first", "second", "third"});
    auto second = std::move(later)(asio::use_future);
    std::string third;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            auto [code, message] = co_await in.async_receive(asio::as_tuple(asio::use_awaitable));
            CHECK_FALSE(code);
            third = message.text();
            message.acknowledge();
        },
        asio::detached);
    run(loop);
    auto one = future.get();
    CHECK(one.text() == "first");
    CHECK(second.get().text() == "second");
    CHECK(third == "third");
}

TEST_CASE("async: next is false at the clean end and throws at a truncated one") {
    for (const bool clean : {true, false}) {
        const a_ring sut;
        asio::io_context loop;
        async_consumer in{loop, sut.ring};
        std::size_t got = 0;
        error_code thrown;
        asio::co_spawn(
            loop,
            [&]() -> asio::awaitable<void> {
                try {
                    while (auto message = co_await in.next()) {
                        ++got;
                        message.acknowledge();
                    }
                } catch (const boost::system::system_error& failed) { thrown = failed.code(); }
            },
            asio::detached);
        std::thread sender{[&] {
            producer out{sut.ring};
            send_all(out, {"a", "b"});
            if (!clean) { out.abandon(); }
        }};
        run(loop);
        sender.join();
        CHECK(got == 2);
        CHECK(thrown == (clean ? error_code{} : make_error_code(stream_error::truncated)));
    }
}

TEST_CASE("async: a receive beside a timeout is cancelled and has taken nothing") {
    const a_ring sut;
    producer out{sut.ring};
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    bool timed_out = false;
    std::string got;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            asio::steady_timer timer{loop, a_moment};
            auto result = co_await (in.async_receive() || timer.async_wait(asio::use_awaitable));
            timed_out = result.index() == 1;
            out.send(bytes("kept"));
            auto message = co_await in.async_receive();
            got = message.text();
            CHECK(message.attempt() == 1);
            CHECK_FALSE(message.redelivered());
            message.acknowledge();
        },
        asio::detached);
    run(loop);
    CHECK(timed_out);
    CHECK(got == "kept");
}

TEST_CASE("async: receives that wait are served in the order in which they began") {
    const a_ring sut;
    producer out{sut.ring};
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    texts got(20);
    for (std::size_t i = 0; i < got.size(); ++i) {
        in.async_receive([&, i](error_code code, async_message message) {
            CHECK_FALSE(code);
            got[i] = message.text();
            message.acknowledge();
        });
    }
    texts sent;
    for (std::size_t i = 0; i < got.size(); ++i) { sent.push_back(std::to_string(i)); }
    send_all(out, sent);
    run(loop);
    CHECK(got == sent);
}

TEST_CASE("async: messages acknowledged in any order free the ring up to the first that is not") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"a", "b", "c"});
    asio::io_context loop;
    {
        async_consumer in{loop, sut.ring};
        std::vector<async_message> held;
        for (int i = 0; i < 3; ++i) {
            in.async_receive([&](error_code code, async_message message) {
                CHECK_FALSE(code);
                held.push_back(std::move(message));
            });
        }
        run(loop);
        REQUIRE(held.size() == 3);
        held[2].acknowledge();
        held[0].acknowledge();
        in.close();  // "b" is not finished: it goes back, and with it what is behind
    }
    consumer next{sut.ring};
    CHECK(take_texts(next, 2) == texts{"b", "c"});
}

TEST_CASE("async: a message that is dropped without an acknowledgement is received again") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"again", "other"});
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    std::map<std::string, std::uint32_t> attempts;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            {
                auto dropped = co_await in.async_receive();
                CHECK(dropped.text() == "again");
            }
            for (int i = 0; i < 2; ++i) {
                auto message = co_await in.async_receive();
                attempts[std::string{message.text()}] = message.attempt();
                message.acknowledge();
            }
        },
        asio::detached);
    run(loop);
    CHECK(attempts == std::map<std::string, std::uint32_t>{{"again", 2}, {"other", 1}});
}

TEST_CASE("async: a batch takes what is at hand and is acknowledged as a whole") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"a", "b", "c"});
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    texts got;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            while (got.size() < 3) {
                auto batch = co_await in.async_receive_batch(8);
                CHECK_FALSE(batch.empty());
                for (const auto& message : batch) { got.emplace_back(message.text()); }
                batch.acknowledge();
            }
        },
        asio::detached);
    run(loop);
    CHECK(got == texts{"a", "b", "c"});
}

TEST_CASE("async: wait_readable takes nothing and wait_end comes after the last acknowledgement") {
    const a_ring sut;
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    texts order;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            co_await in.async_wait_readable();
            order.emplace_back("readable");
            auto message = co_await in.async_receive();
            order.emplace_back(message.text());
            message.acknowledge();
        },
        asio::detached);
    in.async_wait_end([&](error_code code) {
        CHECK_FALSE(code);
        order.emplace_back("end");
    });
    std::thread sender{[&] {
        producer out{sut.ring};
        send_all(out, {"only"});
    }};
    run(loop);
    sender.join();
    CHECK(order == texts{"readable", "only", "end"});
}

TEST_CASE("async: a strand that the handler is bound to is where it runs") {
    const a_ring sut;
    producer out{sut.ring};
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    auto strand = asio::make_strand(loop);
    int on_strand = 0;
    for (int i = 0; i < 2; ++i) {
        in.async_receive(asio::bind_executor(strand, [&](error_code, async_message message) {
            on_strand += strand.running_in_this_thread() ? 1 : 0;
            message.acknowledge();
        }));
    }
    send_all(out, {"a", "b"});
    run(loop);
    CHECK(on_strand == 2);
}
