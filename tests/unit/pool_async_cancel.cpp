// process_pool with Boost.Asio: async_submit is cancelled by the slot of its handler.
#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "pool/async_submit.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/tasks.hpp"

using namespace ringpipe;
using namespace ringpipe::test;
namespace asio = boost::asio;

namespace {

constexpr auto cancel_it = asio::cancellation_type::total;

// What an operation completed with.
struct outcome {
    bool completed = false;
    std::exception_ptr failed;
    int value = 0;

    [[nodiscard]] bool aborted() const {
        if (!failed) { return false; }
        try {
            std::rethrow_exception(failed);
        } catch (const boost::system::system_error& thrown) {
            return thrown.code() == asio::error::operation_aborted;
        } catch (...) { return false; }
    }
};

auto handler_for(outcome& into, asio::io_context& context, asio::cancellation_signal& signal) {
    return asio::bind_cancellation_slot(
        signal.slot(), asio::bind_executor(context, [&into](std::exception_ptr failed, int value) {
            into = {true, std::move(failed), value};
        }));
}

}  // namespace

TEST_CASE("a cancelled async_submit that has not begun is aborted and never run") {
    gate hold;
    {
        process_pool pool{{.max_workers = 1}};
        auto first = pool.submit(tasks::wait_for, hold.file());
        REQUIRE(hold.begun());
        asio::io_context context;
        asio::cancellation_signal signal;
        outcome second;
        pool::async_submit(pool, pool::call(tasks::note, hold.log(), "never"),
                           handler_for(second, context, signal));
        signal.emit(cancel_it);
        CHECK_FALSE(second.completed);  // posted, never from within emit()
        signal.emit(cancel_it);         // nothing is left to cancel
        run(context);
        CHECK(second.completed);
        CHECK(second.aborted());
        CHECK(pool.status().cancelled == 1);
        hold.open();
        CHECK(first.get() != 0);
    }
    CHECK(hold.lines().empty());
}

TEST_CASE("a cancelled async_submit that has begun goes on and gives its result") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    asio::io_context context;
    asio::cancellation_signal signal;
    outcome runs;
    pool::async_submit(pool, pool::call(tasks::wait_for, hold.file()),
                       handler_for(runs, context, signal));
    REQUIRE(hold.begun());
    signal.emit(cancel_it);
    signal.emit(asio::cancellation_type::terminal);
    hold.open();
    run(context);
    CHECK(runs.completed);
    CHECK_FALSE(runs.failed);
    CHECK(runs.value != 0);
    CHECK(pool.status().cancelled == 0);
    CHECK(pool.status().worker_deaths == 0);
}

TEST_CASE("a signal may come behind the result and behind the pool") {
    asio::io_context context;
    asio::cancellation_signal signal;
    outcome done;
    {
        process_pool pool;
        pool::async_submit(pool, pool::call(tasks::square, 5), handler_for(done, context, signal));
    }
    signal.emit(cancel_it);  // settled, though its handler has not been called
    run(context);
    CHECK(done.completed);
    CHECK(done.value == 25);
    signal.emit(cancel_it);
}

TEST_CASE("a submit that is refused leaves nothing in its slot") {
    process_pool pool;
    pool.shutdown();
    asio::io_context context;
    asio::cancellation_signal signal;
    outcome refused;
    CHECK(error_of([&] {
              pool::async_submit(pool, pool::call(tasks::square, 5),
                                 handler_for(refused, context, signal));
          }) == errc::closed);
    signal.emit(cancel_it);
    context.poll();
    CHECK_FALSE(refused.completed);
}

TEST_CASE("submit or timeout: whichever is first and the other one is cancelled") {
    using namespace asio::experimental::awaitable_operators;
    gate hold;
    {
        process_pool pool{{.max_workers = 1}};
        asio::io_context context;
        std::optional<std::size_t> first;
        std::optional<int> squared;
        const auto race = [&]() -> asio::awaitable<void> {
            asio::steady_timer late{context};
            late.expires_after(patience);
            auto quick = co_await (pool::async_submit(pool, pool::call(tasks::square, 4)) ||
                                   late.async_wait(asio::use_awaitable));
            if (quick.index() == 0) { squared = std::get<0>(quick); }

            auto busy = pool.submit(tasks::wait_for, hold.file());
            while (!std::filesystem::exists(hold.file() + ".begun")) {
                late.expires_after(1ms);
                co_await late.async_wait(asio::use_awaitable);
            }
            late.expires_after(a_moment);
            auto slow =
                co_await (pool::async_submit(pool, pool::call(tasks::note, hold.log(), "never")) ||
                          late.async_wait(asio::use_awaitable));
            first = slow.index();
            CHECK(pool.status().cancelled == 1);
            hold.open();
            CHECK(busy.get() != 0);
        };
        asio::co_spawn(context, race, asio::detached);
        run(context);
        CHECK(squared == 16);
        CHECK(first == 1);
    }
    CHECK(hold.lines().empty());
}
