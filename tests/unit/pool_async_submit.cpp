// process_pool with Boost.Asio: async_submit.
#include <doctest/doctest.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "pool/async_submit.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/tasks.hpp"

using namespace ringpipe;
using namespace ringpipe::test;
namespace asio = boost::asio;

TEST_CASE("a coroutine awaits tasks of a pool") {
    process_pool pool;
    asio::io_context context;
    int sum = 0;
    std::string thrown;
    const auto work = [&]() -> asio::awaitable<void> {
        for (int i = 1; i <= 3; ++i) {
            sum += co_await pool::async_submit(pool, pool::call(tasks::square, i));
        }
        co_await pool::async_submit(pool, pool::call(tasks::nothing), asio::use_awaitable);
        try {
            co_await pool::async_submit(pool, pool::call(tasks::throw_out_of_range, "far"));
        } catch (const pool::task_exception& failed) { thrown = failed.type(); }
    };
    asio::co_spawn(context, work, asio::detached);
    run(context);
    CHECK(sum == 14);
    CHECK(thrown == "std::out_of_range");
}

TEST_CASE("a handler is called by its own executor and nowhere else") {
    process_pool pool;
    asio::io_context context;
    std::thread::id where;
    int got = 0;
    pool::async_submit(pool, pool::call(tasks::square, 5),
                       asio::bind_executor(context, [&](const std::exception_ptr& failed, int x) {
                           CHECK_FALSE(failed);
                           where = std::this_thread::get_id();
                           got = x;
                       }));
    run(context);
    CHECK(got == 25);
    CHECK(where == std::this_thread::get_id());
}

TEST_CASE("a task as a future of the standard library") {
    process_pool pool;
    asio::io_context context;
    auto result = pool::async_submit(pool, pool::call(tasks::square, 6),
                                     asio::bind_executor(context, asio::use_future));
    run(context);
    CHECK(result.get() == 36);
}
