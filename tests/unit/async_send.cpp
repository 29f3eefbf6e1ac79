// The writing end in an event loop: a full ring, batches, order, cancellation.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "async/async_producer.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("async: a send into a ring with room has happened when it completes") {
    const a_ring sut;
    consumer in{sut.ring};
    asio::io_context loop;
    async_producer out{loop, sut.ring};
    int completed = 0;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            co_await out.async_send("one");
            ++completed;
            const std::vector<std::span<const std::byte>> batch{bytes("two"), bytes("three")};
            co_await out.async_send_batch(batch);
            ++completed;
        },
        asio::detached);
    run(loop);
    CHECK(completed == 2);
    CHECK(take_texts(in, 3) == texts{"one", "two", "three"});
}

TEST_CASE("async: a send into a full ring waits for room and keeps its place before later ones") {
    const a_ring sut;
    consumer in{sut.ring};
    asio::io_context loop;
    async_producer out{loop, sut.ring};
    const auto filling = pattern(500);
    std::size_t filled = 0;
    {
        producer other{sut.ring};
        filled = fill(other, filling);
    }
    const auto large = pattern(2000);
    texts order;
    out.async_send(large, [&](error_code code) {
        CHECK_FALSE(code);
        order.emplace_back("large");
    });
    out.async_send("small", [&](error_code code) {
        CHECK_FALSE(code);
        order.emplace_back("small");
    });
    REQUIRE(waits_for_room(sut.name));
    loop.poll();
    CHECK(order.empty());
    std::thread taker{[&] { CHECK(take(in, filled).size() == filled); }};
    run(loop);
    taker.join();
    CHECK(order == texts{"large", "small"});
    CHECK(take_texts(in, 2) == texts{large, "small"});
}

TEST_CASE("async: a cancelled send has sent nothing and leaves the way to others") {
    const a_ring sut;
    consumer in{sut.ring};
    asio::io_context loop;
    async_producer out{loop, sut.ring};
    producer other{sut.ring};
    const auto filled = fill(other, pattern(500));
    asio::cancellation_signal cancel;
    const auto large = pattern(2000);
    error_code result;
    out.async_send(large, asio::bind_cancellation_slot(cancel.slot(),
                                                       [&](error_code code) { result = code; }));
    REQUIRE(waits_for_room(sut.name));
    cancel.emit(asio::cancellation_type::total);
    run(loop);
    CHECK(result == asio::error::operation_aborted);
    CHECK(take(in, filled).size() == filled);
    REQUIRE(other.send_for(bytes("next"), patience));
    CHECK(take_texts(in, 1) == texts{"next"});
}

TEST_CASE("async: wait_writable tells when there is room") {
    const a_ring sut;
    consumer in{sut.ring};
    asio::io_context loop;
    async_producer out{loop, sut.ring};
    producer other{sut.ring};
    const auto filled = fill(other, pattern(500));
    bool writable = false;
    out.async_wait_writable(1000, [&](error_code code) { writable = !code; });
    REQUIRE(waits_for_room(sut.name));
    loop.poll();
    CHECK_FALSE(writable);
    std::thread taker{[&] { CHECK(take(in, filled).size() == filled); }};
    run(loop);
    taker.join();
    CHECK(writable);
}

TEST_CASE("async: a message that can never fit is refused with its code") {
    const a_ring sut;
    asio::io_context loop;
    async_producer out{loop, sut.ring};
    const std::string huge(100000, 'x');
    error_code result;
    out.async_send(huge, [&](error_code code) { result = code; });
    run(loop);
    CHECK(result == std::error_code{make_error_code(errc::message_too_large)});
}
