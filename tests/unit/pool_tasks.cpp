// process_pool: order, cancelling, deadlines, and the care of workers.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "tests/support/child.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/shared.hpp"
#include "tests/support/tasks.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// What one worker did in which order, with the first two tasks submitted last having priority.
std::vector<std::string> order_of(pool::task_order order) {
    gate hold;
    {
        process_pool pool{{.max_workers = 1, .order = order}};
        auto first = pool.submit(tasks::wait_for, hold.file());
        REQUIRE(hold.begun());
        for (const auto* name : {"a", "b", "c", "d"}) {
            (void)pool.submit(pool::call(tasks::note, hold.log(), name),
                              {.priority = *name == 'c' || *name == 'd' ? 1 : 0});
        }
        CHECK(pool.status().waiting == 4);
        CHECK(pool.status().running == 1);
        hold.open();
        (void)first.get();
    }
    return hold.lines();
}

}  // namespace

TEST_CASE("tasks that wait are begun first in first out") {
    CHECK(order_of(pool::task_order::fifo) == std::vector<std::string>{"a", "b", "c", "d"});
}

TEST_CASE("tasks that wait are begun last in first out if so ordered") {
    CHECK(order_of(pool::task_order::lifo) == std::vector<std::string>{"d", "c", "b", "a"});
}

TEST_CASE("tasks that wait are begun by priority if so ordered") {
    CHECK(order_of(pool::task_order::priority) == std::vector<std::string>{"c", "d", "a", "b"});
}

TEST_CASE("a task that has not begun can be cancelled and is never run") {
    gate hold;
    {
        process_pool pool{{.max_workers = 1}};
        auto first = pool.submit(tasks::wait_for, hold.file());
        REQUIRE(hold.begun());
        auto second = pool.submit(tasks::note, hold.log(), "never");
        auto third = pool.submit(tasks::note, hold.log(), "yes");
        CHECK(second.cancel());
        CHECK_FALSE(second.cancel());
        CHECK(error_of([&] { second.get(); }) == errc::task_cancelled);
        CHECK_FALSE(first.cancel());
        hold.open();
        CHECK(third.get() == 1);
        CHECK(first.get() != 0);
        CHECK_FALSE(third.valid());
        CHECK(pool.status().cancelled == 1);
    }
    CHECK(hold.lines() == std::vector<std::string>{"yes"});
}

TEST_CASE("a task handed to a worker that has not begun it can be cancelled too") {
    // Quick tasks open the window: many are handed over before their turn.
    gate hold;
    process_pool pool{{.max_workers = 1}};
    for (int i = 0; i < 2000; ++i) { pool.submit(tasks::square, i % 9).get(); }
    auto first = pool.submit(tasks::wait_for, hold.file());
    REQUIRE(hold.begun());
    std::vector<pool::future<int>> handed;
    for (int i = 0; i < 10; ++i) { handed.push_back(pool.submit(tasks::note, hold.log(), "no")); }
    for (auto& each : handed) { CHECK(each.cancel()); }
    hold.open();
    (void)first.get();
    CHECK(pool.submit(tasks::square, 2).get() == 4);
    CHECK(hold.lines().empty());
}

TEST_CASE("a task past its deadline fails and its worker is replaced") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    CHECK(pool.submit(tasks::square, 2).get() == 4);
    auto stuck = pool.submit(pool::call(tasks::wait_for, hold.file()), {.until = after(500ms)});
    REQUIRE(hold.begun());
    auto behind = pool.submit(tasks::square, 3);
    REQUIRE(stuck.wait_for(patience));
    CHECK(error_of([&] { stuck.get(); }) == errc::timed_out);
    CHECK(behind.get() == 9);
    CHECK(pool.status().worker_deaths == 1);
}

TEST_CASE("a task that has not begun by its deadline fails and is never run") {
    gate hold;
    {
        process_pool pool{{.max_workers = 1}};
        auto first = pool.submit(tasks::wait_for, hold.file());
        REQUIRE(hold.begun());
        auto late =
            pool.submit(pool::call(tasks::note, hold.log(), "late"), {.until = after(30ms)});
        REQUIRE(late.wait_for(patience));
        CHECK(error_of([&] { late.get(); }) == errc::timed_out);
        hold.open();
        CHECK(first.get() != 0);
        CHECK(pool.status().worker_deaths == 0);
    }
    CHECK(hold.lines().empty());
}

TEST_CASE("wait_for of a future ends at its deadline") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    auto first = pool.submit(tasks::wait_for, hold.file());
    CHECK_FALSE(first.wait_for(20ms));
    CHECK_FALSE(first.ready());
    hold.open();
    CHECK(first.wait_for(patience));
}

TEST_CASE("a worker is replaced after as many tasks as it may run") {
    process_pool pool{{.max_workers = 1, .max_tasks_per_worker = 3}};
    std::set<int> pids;
    for (int i = 0; i < 9; ++i) { pids.insert(pool.submit(tasks::my_pid).get()); }
    CHECK(pids.size() == 3);
    CHECK(pool.status().worker_deaths == 0);
}

TEST_CASE("an initializer has run in every worker before its first task") {
    process_pool pool{{.min_workers = 2,
                       .max_workers = 2,
                       .max_tasks_per_worker = 2,
                       .initializer = pool::call(tasks::remember, 42)}};
    for (int i = 0; i < 8; ++i) { CHECK(pool.submit(tasks::remembered).get() == 42); }
}

TEST_CASE("an initializer that throws breaks the pool with its reason") {
    process_pool pool{{.max_workers = 1, .initializer = pool::call(tasks::refuse)}};
    const auto why = [&] {
        try {
            auto result = pool.submit(tasks::square, 2);
            result.get();
        } catch (const error& broken) {
            CHECK(broken.which() == errc::pool_broken);
            return std::string{broken.what()};
        }
        return std::string{};
    }();
    CHECK_MESSAGE(why.find("no licence") != std::string::npos, why);
}

TEST_CASE("a program that cannot be a worker breaks the pool with its reason") {
    for (const auto* program : {"/bin/false", "/no/such/program"}) {
        CAPTURE(program);
        process_pool pool{{.max_workers = 1, .executable = program}};
        CHECK(error_of([&] { pool.submit(tasks::square, 2).get(); }) == errc::pool_broken);
    }
}

TEST_CASE("a program that cannot be started is tried without a trace in the one that tries") {
    static const shared<std::atomic<int>> exits;
    child user{[](const in_child&) {
        std::atexit([] { ++*exits; });
        process_pool pool{{.max_workers = 1, .executable = "/no/such/program"}};
        return error_of([&] { pool.submit(tasks::square, 2).get(); }) == errc::pool_broken ? 0 : 1;
    }};
    CHECK(user.wait() == 0);
    CHECK(exits->load() == 0);  // the user itself ends without
}

TEST_CASE("workers are added while tasks wait and retire when idle") {
    gate hold;
    process_pool pool{{.min_workers = 1, .max_workers = 3, .idle_timeout = 50ms}};
    CHECK(pool.submit(tasks::square, 2).get() == 4);
    CHECK(pool.status().workers.size() == 1);
    std::vector<pool::future<int>> busy;
    for (int i = 0; i < 3; ++i) { busy.push_back(pool.submit(tasks::wait_for, hold.file())); }
    CHECK(eventually([&] { return pool.status().running == 3; }));
    CHECK(pool.status().workers.size() == 3);
    hold.open();
    for (auto& each : busy) { CHECK(each.get() != 0); }
    CHECK(eventually([&] { return pool.status().workers.size() == 1; }));
    CHECK(pool.status().worker_deaths == 0);
    CHECK(pool.submit(tasks::square, 3).get() == 9);
}

TEST_CASE("a task that comes while a worker is being started gets one as well") {
    // At every stage of that start.
    for (auto pause = 0us; pause < 3ms; pause += 200us) {
        gate hold;
        process_pool pool{{.min_workers = 1, .max_workers = 3}};
        CHECK(pool.submit(tasks::square, 2).get() == 4);
        std::vector<pool::future<int>> busy;
        busy.push_back(pool.submit(tasks::wait_for, hold.file()));
        busy.push_back(pool.submit(tasks::wait_for, hold.file()));
        std::this_thread::sleep_for(pause);
        busy.push_back(pool.submit(tasks::wait_for, hold.file()));
        CHECK(eventually([&] { return pool.status().running == 3; }));
        hold.open();
        for (auto& each : busy) { CHECK(each.get() != 0); }
    }
}

TEST_CASE("shutdown now fails what waits and what runs") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    auto runs = pool.submit(tasks::wait_for, hold.file());
    REQUIRE(hold.begun());
    auto waits = pool.submit(tasks::square, 2);
    pool.shutdown(pool::shutdown_mode::now);
    CHECK(error_of([&] { runs.get(); }) == errc::closed);
    CHECK(error_of([&] { waits.get(); }) == errc::closed);
}

TEST_CASE("tasks nobody waits for are run too") {
    gate hold;
    process_pool pool{{.max_workers = 1}};
    for (int i = 0; i < 200; ++i) { (void)pool.submit(tasks::note, hold.log(), "line"); }
    CHECK(eventually([&] { return hold.lines().size() == 200; }));
}
