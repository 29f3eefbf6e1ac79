// Loops that stop or go away, ends that are closed, cancellation at any moment, a fork.
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <thread>

#include "async/async_consumer.hpp"
#include "async/async_producer.hpp"
#include "tests/support/child.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

using texts = std::vector<std::string>;

std::size_t threads_named(const std::string& name) {
    std::size_t count = 0;
    for (const auto& thread : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::ifstream file{thread.path() / "comm"};
        std::string its_name;
        count += std::getline(file, its_name) && its_name == name ? 1 : 0;
    }
    return count;
}

}  // namespace

TEST_CASE("async: a loop destroyed with operations outstanding destroys their handlers uncalled") {
    const a_ring sut;
    const auto alive = std::make_shared<int>(1);
    int called = 0;
    {
        asio::io_context loop;
        async_consumer in{loop, sut.ring};
        for (int i = 0; i < 3; ++i) {
            in.async_receive([&, alive](error_code, const async_message&) { ++called; });
        }
        in.async_wait_end([&, alive](error_code) { ++called; });
        REQUIRE(waits_for_messages(sut.name));
        CHECK(alive.use_count() > 4);
    }
    CHECK(called == 0);
    CHECK(alive.use_count() == 1);
}

TEST_CASE("async: an end may outlive its loop and only refuses what is asked then") {
    const a_ring sut;
    const auto alive = std::make_shared<int>(1);
    std::optional<async_consumer> in;
    {
        asio::io_context loop;
        in.emplace(loop, sut.ring);
        in->async_receive([alive](error_code, const async_message&) {});
        REQUIRE(waits_for_messages(sut.name));
    }
    CHECK(alive.use_count() == 1);
    in.reset();
    CHECK(sut.ring.status().consumers == 0);
}

TEST_CASE("async: a coroutine destroyed with its loop gives its message back") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"held"});
    {
        asio::io_context loop;
        auto in = std::make_shared<async_consumer>(loop, sut.ring);
        bool holds = false;
        asio::co_spawn(
            loop,
            [&holds, in]() -> asio::awaitable<void> {
                const auto message = co_await in->async_receive();
                holds = true;
                const auto never_comes = co_await in->async_receive();
            },
            asio::detached);
        while (!holds) { loop.run_one_for(patience); }
    }
    consumer next{sut.ring};
    CHECK(take_texts(next, 1) == texts{"held"});
}

TEST_CASE("async: a stopped loop keeps what waits and goes on when it runs again") {
    const a_ring sut;
    producer out{sut.ring};
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    std::string got;
    receive_into(got, in);
    REQUIRE(waits_for_messages(sut.name));
    loop.poll();
    loop.stop();
    out.send(bytes("later"));
    REQUIRE(eventually([&] { return sut.ring.status().groups.at(0).lag_messages == 0; }));
    CHECK(got.empty());  // it is taken, and kept for the loop
    run(loop);
    CHECK(got == "later");
}

TEST_CASE("async: closing an end completes what waits with operation_aborted") {
    const a_ring sut;
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    async_producer out{loop, sut.ring};
    std::vector<error_code> codes;
    in.async_receive([&](error_code code, const async_message&) { codes.push_back(code); });
    in.async_receive_batch(5, [&](error_code code, const async_batch&) { codes.push_back(code); });
    REQUIRE(waits_for_messages(sut.name));
    in.close();
    out.close();
    in.async_receive([&](error_code code, const async_message&) { codes.push_back(code); });
    out.async_send("late", [&](error_code code) { codes.push_back(code); });
    run(loop);
    const error_code closed = std::error_code{make_error_code(errc::closed)};
    const error_code aborted = asio::error::operation_aborted;
    CHECK(codes == std::vector<error_code>{aborted, aborted, closed, closed});
}

TEST_CASE(
    "async: an end that was the last to map its ring can be closed while the watcher sleeps") {
    const a_ring sut;
    asio::io_context loop;
    async_consumer other{loop, sut.ring};  // keeps the watcher alive
    for (int round = 0; round < 20; ++round) {
        const unique_name name;
        (void)ring::create(name, small());
        async_consumer in{loop, ring::open(name)};
        int aborted = 0;
        in.async_receive([&](error_code code, const async_message&) { aborted += code ? 1 : 0; });
        other.async_receive(
            [&](error_code code, const async_message&) { aborted += code ? 1 : 0; });
        REQUIRE(waits_for_messages(name));
        in.close();
        other.cancel();
        run(loop);
        CHECK(aborted == 2);
    }
}

TEST_CASE("async: receives cancelled at any moment lose nothing and take nothing twice") {
    const a_ring sut;
    asio::thread_pool pool{2};
    async_consumer in{pool, sut.ring};
    constexpr int count = 300;
    std::thread sender{[&] {
        producer out{sut.ring};
        for (int i = 0; i < count; ++i) {
            out.send(bytes(std::to_string(i)));
            if (i % 8 == 0) { std::this_thread::yield(); }
        }
    }};
    std::set<std::string> got;
    int doubles = 0;
    unsigned round = 0;
    for (bool ended = false; !ended;) {
        // The cancellation races with the message; a slot is used by one thread at a time.
        const auto cancel = std::make_shared<asio::cancellation_signal>();
        std::promise<error_code> result;
        auto done = result.get_future();
        in.next(asio::bind_cancellation_slot(
            cancel->slot(), [&](error_code code, async_message message) {
                if (message) {
                    doubles += got.emplace(message.text()).second ? 0 : 1;
                    message.acknowledge();
                } else if (!code) {
                    ended = true;
                }
                result.set_value(code);
            }));
        if (++round % 3 != 0) { std::this_thread::yield(); }
        cancel->emit(asio::cancellation_type::terminal);
        REQUIRE(done.wait_for(patience) == std::future_status::ready);
        const auto code = done.get();
        CHECK((!code || code == asio::error::operation_aborted));
    }
    sender.join();
    CHECK(got.size() == count);
    CHECK(doubles == 0);
}

TEST_CASE("async: many coroutines on a thread pool get each message once and then the end") {
    const a_ring sut;
    asio::thread_pool pool{3};
    async_consumer in{pool, sut.ring};
    async_producer out{pool, sut.ring};
    constexpr int count = 500;
    std::atomic<int> received{0};
    std::vector<std::future<void>> done;
    for (int i = 0; i < 8; ++i) {
        done.push_back(asio::co_spawn(
            pool,
            [&]() -> asio::awaitable<void> {
                while (auto message = co_await in.next()) {
                    ++received;
                    message.acknowledge();
                }
            },
            asio::use_future));
    }
    auto sent = asio::co_spawn(
        pool,
        [&]() -> asio::awaitable<void> {
            for (int i = 0; i < count; ++i) { co_await out.async_send("some text"); }
        },
        asio::use_future);
    REQUIRE(sent.wait_for(patience) == std::future_status::ready);
    out.close();
    for (auto& one : done) { REQUIRE(one.wait_for(patience) == std::future_status::ready); }
    CHECK(received == count);
}

TEST_CASE("async: one thread waits for all rings and is gone with the last of them") {
    std::vector<std::unique_ptr<a_ring>> rings;
    {
        asio::io_context loop;
        std::vector<async_consumer> ends;
        for (int i = 0; i < 20; ++i) {
            rings.push_back(std::make_unique<a_ring>());
            ends.emplace_back(loop, rings.back()->ring);
            ends.back().async_receive([](error_code, const async_message&) {});
        }
        for (const auto& each : rings) { REQUIRE(waits_for_messages(each->name)); }
        CHECK(threads_named("ringpipe-wait") == 1);
        ends.clear();
    }
    CHECK(threads_named("ringpipe-wait") == 0);
}

TEST_CASE("async: a forked child is refused with a clear code and the parent goes on") {
    const a_ring sut;
    asio::io_context loop;
    async_consumer in{loop, sut.ring};
    async_producer out{loop, sut.ring};
    std::string got;
    receive_into(got, in);
    REQUIRE(waits_for_messages(sut.name));
    child forked{[&](const in_child&) {
        asio::io_context own;
        error_code receive_code;
        error_code send_code;
        in.async_receive(asio::bind_executor(
            own, [&](error_code code, const async_message&) { receive_code = code; }));
        out.async_send("x", asio::bind_executor(own, [&](error_code code) { send_code = code; }));
        own.run_for(patience);
        const error_code expected = std::error_code{make_error_code(errc::forked)};
        return receive_code == expected && send_code == expected ? 0 : 1;
    }};
    CHECK(forked.wait() == 0);
    out.async_send("to the parent", asio::detached);
    run(loop);
    CHECK(got == "to the parent");
}
