// process_pool: a worker's death costs its own task and nothing else.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>

#include "common/temporary_folder.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/tasks.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("a worker that is killed fails its own task with the signal's name") {
    process_pool pool{{.max_workers = 2}};
    auto before = pool.submit(tasks::square, 2);
    auto dies = pool.submit(tasks::die_of, SIGKILL);
    auto behind = pool.submit(tasks::square, 3);
    REQUIRE(dies.wait_for(patience));
    try {
        (void)dies.get();
        FAIL("it was to throw");
    } catch (const pool::worker_died& death) {
        CHECK(death.signal() == SIGKILL);
        CHECK(std::string{death.what()}.find("KILL") != std::string::npos);
        CHECK(death.which() == errc::worker_died);
    }
    CHECK(before.get() == 4);
    CHECK(behind.get() == 9);
    CHECK(pool.submit(tasks::square, 4).get() == 16);
    CHECK(pool.status().worker_deaths == 1);
}

TEST_CASE("a worker that exits in a task fails it with the exit code") {
    process_pool pool{{.max_workers = 1}};
    for (const int code : {0, 3}) {
        auto leaves = pool.submit(tasks::leave_with, code);
        REQUIRE(leaves.wait_for(patience));
        try {
            (void)leaves.get();
            FAIL("it was to throw");
        } catch (const pool::worker_died& death) {
            CHECK(death.signal() == 0);
            CHECK(death.exit_code() == code);
        }
    }
}

TEST_CASE("a task whose worker died is tried again as often as allowed and tells so") {
    const temporary_folder folder;
    const std::string path = folder.path() / "attempts";
    process_pool pool{{.max_workers = 2}};
    auto third_time = pool.submit(pool::call(tasks::die_until_lines, path, 3), {.max_attempts = 3});
    REQUIRE(third_time.wait_for(patience));
    CHECK(third_time.attempts() == 3);
    CHECK(third_time.get() == 3);

    auto never_good = pool.submit(pool::call(tasks::die_of, SIGKILL), {.max_attempts = 2});
    REQUIRE(never_good.wait_for(patience));
    CHECK(never_good.attempts() == 2);
    CHECK_THROWS_AS(never_good.get(), pool::worker_died);
}

TEST_CASE("the death of a pool's owner takes its workers along and the next pool clears up") {
    std::string name = "killed-" + std::to_string(::getpid());
    child owner{[&](const in_child& self) {
        process_pool pool{{.name = name, .min_workers = 2, .max_workers = 2}};
        (void)pool.submit(tasks::square, 2).get();
        self.tell_and_stay();
        return 0;
    }};
    REQUIRE(owner.await());
    const auto board = "/dev/shm/ringpipe-pool." + name;
    REQUIRE(std::filesystem::exists(board));
    std::vector<std::uint32_t> pids;
    const auto seen = pool::board::open(name);
    for (const auto& worker : seen.workers()) {
        if (worker.pid != 0) { pids.push_back(worker.pid); }
    }
    CHECK_FALSE(pids.empty());
    owner.kill();
    for (const auto pid : pids) {
        CHECK(eventually([&] { return ::kill(static_cast<pid_t>(pid), 0) != 0; }));
    }
    {
        process_pool next;
        CHECK(next.submit(tasks::square, 3).get() == 9);
    }
    CHECK_FALSE(std::filesystem::exists(board));
    CHECK_FALSE(std::filesystem::exists("/dev/shm/ringpipe." + name + ".requests"));
    CHECK_FALSE(std::filesystem::exists("/dev/shm/ringpipe." + name + ".replies"));
}
