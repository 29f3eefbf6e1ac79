// process_pool: how it begins and ends, and whose program its workers are.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "tests/support/gate.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/tasks.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("a pool has its least workers before there is a task") {
    const process_pool pool{{.min_workers = 2, .max_workers = 3}};
    CHECK(eventually([&] { return pool.status().workers.size() == 2; }));
}

TEST_CASE("a pool that an exception unwinds does not wait for what runs") {
    gate hold;  // never opened before the pool is gone
    pool::future<int> runs;
    try {
        process_pool pool{{.max_workers = 1}};
        runs = pool.submit(tasks::wait_for, hold.file());
        REQUIRE(hold.begun());
        throw std::runtime_error{"something else"};
    } catch (const std::runtime_error&) {}
    REQUIRE(runs.ready());
    CHECK(error_of([&] { runs.get(); }) == errc::closed);
}

TEST_CASE("shutdown drain waits for what waits and what runs") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    auto runs = pool.submit(tasks::wait_for, hold.file());
    REQUIRE(hold.begun());
    std::vector<pool::future<int>> wait;
    for (int i = 0; i < 10; ++i) { wait.push_back(pool.submit(tasks::square, i)); }
    hold.open();
    pool.shutdown(pool::shutdown_mode::drain);
    CHECK(runs.ready());
    for (int i = 0; i < 10; ++i) { CHECK(wait[static_cast<std::size_t>(i)].get() == i * i); }
    CHECK(pool.status().workers.empty());
}

TEST_CASE("the workers can be another program that links the worker side") {
    const gate folder;  // for its folder
    const auto program = folder.file() + "-another-program";
    std::filesystem::copy_file("/proc/self/exe", program);
    process_pool pool{{.max_workers = 1, .executable = program}};
    CHECK(pool.submit(pool::call<int>("tasks::square", 7)).get() == 49);
    const auto pid = pool.submit(tasks::my_pid).get();
    CHECK(std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid)) == program);
}

TEST_CASE("map throws what the first failed one threw when all are done") {
    process_pool pool;
    const std::vector<std::string> texts{"one", "two", "three"};
    CHECK_THROWS_WITH_AS(pool.map(tasks::throw_out_of_range, texts), doctest::Contains("one"),
                         pool::task_exception);
    CHECK(pool.status().failed == 3);
}

TEST_CASE("map as completed gives those that failed too") {
    process_pool pool;
    const std::vector<std::string> texts{"one", "two"};
    std::size_t failed = 0;
    pool.map_as_completed(tasks::throw_out_of_range, texts, [&](std::size_t index, auto result) {
        CHECK_THROWS_WITH_AS(result.get(), doctest::Contains(texts[index].c_str()),
                             pool::task_exception);
        ++failed;
    });
    CHECK(failed == 2);
}
