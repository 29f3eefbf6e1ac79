// process_pool: submit, futures, what comes back.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/tasks.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("a submitted task's result comes back as its future's value") {
    process_pool pool;
    auto result = pool.submit(tasks::square, 7);
    REQUIRE(result.wait_for(patience));
    CHECK(result.get() == 49);
    CHECK(result.attempts() == 1);
    CHECK_FALSE(result.valid());
}

TEST_CASE("a task runs in another process") {
    process_pool pool;
    CHECK(pool.submit(tasks::my_pid).get() != ::getpid());
}

TEST_CASE("text numbers and types of the user travel as arguments and as results") {
    process_pool pool;
    CHECK(pool.submit(tasks::repeat, "ab", 3).get() == "ababab");
    CHECK(pool.submit(tasks::length, std::string(5000, 'x')).get() == 5000);
    const auto twice = pool.submit(tasks::twice, order{"pen", {1, 2, 3}}).get();
    CHECK(twice.item == "penpen");
    CHECK(twice.amounts == std::vector<int>{2, 4, 6});
    pool.submit(tasks::nothing).get();
}

TEST_CASE("spans of bytes small and large arrive whole and aligned") {
    process_pool pool;
    for (const std::size_t size : {0U, 1U, 100U, 5000U, 1U << 20U}) {
        CAPTURE(size);
        const auto text = pattern(size);
        CHECK(pool.submit(tasks::sum_of, bytes(text)).get() == tasks::sum_of(bytes(text)));
        CHECK(pool.submit(tasks::is_aligned, "abc", bytes(text)).get());
        CHECK(pool.submit(tasks::bytes_of, size).get().size() == size);
    }
}

TEST_CASE("tasks that wait in the pool are all done") {
    process_pool pool;
    std::vector<pool::future<int>> results;
    for (int i = 0; i < 5000; ++i) { results.push_back(pool.submit(tasks::square, i % 100)); }
    bool right = true;
    for (int i = 0; i < 5000; ++i) {
        right = right && results[static_cast<std::size_t>(i)].get() == (i % 100) * (i % 100);
    }
    CHECK(right);
    CHECK(pool.status().done == 5000);
}

TEST_CASE("map gives the results in the order of the elements") {
    process_pool pool;
    std::vector<int> numbers(1000);
    std::iota(numbers.begin(), numbers.end(), 0);
    auto squares = pool.map(tasks::square, numbers);
    REQUIRE(squares.size() == 1000);
    CHECK(squares[31] == 961);
    CHECK(squares[999] == 998001);
}

TEST_CASE("map as completed gives every result once") {
    process_pool pool;
    std::vector<int> numbers(1000);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::vector<int> seen(1000);
    pool.map_as_completed(tasks::square, numbers, [&](std::size_t index, auto result) {
        ++seen[index];
        CHECK(result.get() == static_cast<int>(index * index));
    });
    CHECK(seen == std::vector<int>(1000, 1));
}

TEST_CASE("an exception in a task comes back with its type and text and the worker lives on") {
    process_pool pool{{.max_workers = 1}};
    const int before = pool.submit(tasks::my_pid).get();
    auto failed = pool.submit(tasks::throw_out_of_range, "too far");
    try {
        failed.get();
        FAIL("it was to throw");
    } catch (const pool::task_exception& thrown) {
        CHECK(thrown.type() == "std::out_of_range");
        CHECK(thrown.text() == "too far");
    }
    try {
        pool.submit(tasks::throw_a_number).get();
        FAIL("it was to throw");
    } catch (const pool::task_exception& thrown) { CHECK(thrown.type() == "int"); }
    CHECK(pool.submit(tasks::my_pid).get() == before);
    CHECK(pool.status().failed == 2);
}

TEST_CASE("a call by name with other types is an error and not garbage") {
    process_pool pool;
    CHECK(pool.submit(pool::call<int>("tasks::square", 3)).get() == 9);
    CHECK_THROWS_WITH_AS(pool.submit(pool::call<int>("tasks::square", 3L)).get(),
                         doctest::Contains("other types"), pool::task_exception);
    CHECK_THROWS_WITH_AS(pool.submit(pool::call<int>("tasks::unknown")).get(),
                         doctest::Contains("has no task"), pool::task_exception);
}

TEST_CASE("arguments or results that do not fit the rings are refused with words") {
    process_pool pool{{.request_bytes = 64 << 10, .reply_bytes = 64 << 10}};
    const auto text = pattern(100'000);
    CHECK(error_of([&] { (void)pool.submit(tasks::sum_of, bytes(text)); }) ==
          errc::message_too_large);
    CHECK_THROWS_WITH_AS(pool.submit(tasks::bytes_of, std::size_t{100'000}).get(),
                         doctest::Contains("reply_bytes"), pool::task_exception);
    CHECK(pool.submit(tasks::bytes_of, std::size_t{1000}).get().size() == 1000);
}

TEST_CASE("a pool that goes away finishes its tasks first and leaves no files") {
    std::string name;
    pool::future<int> result;
    {
        process_pool pool;
        name = pool.name();
        for (int i = 0; i < 100; ++i) { result = pool.submit(tasks::square, i); }
    }
    CHECK(result.ready());
    CHECK(result.get() == 99 * 99);
    const auto rings = ring::list();
    CHECK(rings.end() == std::find_if(rings.begin(), rings.end(), [&](const std::string& each) {
              return each.starts_with(name + ".");
          }));
    CHECK_FALSE(std::filesystem::exists("/dev/shm/ringpipe-pool." + name));
}

TEST_CASE("after a shutdown nothing can be submitted") {
    process_pool pool;
    pool.shutdown();
    CHECK(error_of([&] { (void)pool.submit(tasks::square, 1); }) == errc::closed);
    pool.shutdown();
}
