// sync::semaphore and sync::counting_semaphore. Death: crash/sync_semaphore.cpp.
#include "sync/semaphore.hpp"

#include <mutex>
#include <thread>
#include <vector>

#include "sync/counting_semaphore.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync semaphore: gives out as many units as it has") {
    const a_space sut;
    const auto other = sut.another();
    sync::semaphore here{sut.space, "s", 3};
    sync::semaphore there{other, "s"};
    CHECK(there.units() == 3);
    here.acquire();
    CHECK(there.try_acquire());
    CHECK(here.try_acquire_for(a_moment));
    CHECK(here.available() == 0);
    CHECK_FALSE(there.try_acquire());
    const stopwatch watch;
    CHECK_FALSE(there.try_acquire_for(a_moment));
    CHECK(watch.elapsed() >= a_moment);
    CHECK_FALSE(here.try_acquire_until(std::chrono::system_clock::now() + 1ms));
    here.release();
    CHECK(there.try_acquire());
    here.release();
    there.release();
    there.release();
    CHECK(here.available() == 3);
}

TEST_CASE("sync semaphore: releasing what one does not hold is an error") {
    const a_space sut;
    const auto other = sut.another();
    sync::semaphore here{sut.space, "s", 2};
    sync::semaphore there{other, "s", 2};
    CHECK(error_of([&] { here.release(); }) == errc::not_held);
    there.acquire();
    CHECK(error_of([&] { here.release(); }) == errc::not_held);
    here.acquire();
    here.release();
    CHECK(error_of([&] { here.release(); }) == errc::not_held);
    there.release();
}

TEST_CASE("sync semaphore: others count or kind are refused") {
    const a_space sut;
    CHECK(error_of([&] { sync::semaphore{sut.space, "s"}; }) == errc::not_found);
    const sync::semaphore made{sut.space, "s", 2};
    CHECK(error_of([&] { sync::semaphore{sut.space, "s", 3}; }) == errc::options_differ);
    CHECK(error_of([&] { sync::counting_semaphore{sut.space, "s", 2}; }) == errc::options_differ);
    CHECK(error_of([&] { sync::semaphore{sut.space, "t", 0}; }) == errc::invalid_argument);
    CHECK(error_of([&] { sync::semaphore{sut.space, "t", 65537}; }) == errc::invalid_argument);
}

TEST_CASE("sync semaphore: a unit is held by the locks of the standard library") {
    const a_space sut;
    sync::semaphore s{sut.space, "s", 1};
    {
        const std::lock_guard hold{s};
        CHECK(s.available() == 0);
    }
    CHECK(s.available() == 1);
    const std::unique_lock hold{s, std::try_to_lock};
    CHECK(hold.owns_lock());
}

TEST_CASE("sync semaphore: never more are inside than it has units") {
    const a_space sut;
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::vector<std::thread> all;
    for (int i = 0; i < 4; ++i) {
        all.emplace_back([&] {
            const auto mine = sut.another();
            sync::semaphore s{mine, "s", 2};
            for (int k = 0; k < 500; ++k) {
                s.acquire();
                const int now = ++inside;
                int seen = most;
                while (seen < now && !most.compare_exchange_weak(seen, now)) {}
                --inside;
                s.release();
            }
        });
    }
    for (auto& each : all) { each.join(); }
    CHECK(most <= 2);
    CHECK(sync::semaphore{sut.space, "s"}.available() == 2);
}

TEST_CASE("sync counting semaphore: one raises what another lowers") {
    const a_space sut;
    const auto other = sut.another();
    sync::counting_semaphore here{sut.space, "c", 0};
    sync::counting_semaphore there{other, "c"};
    CHECK_FALSE(there.try_acquire());
    CHECK_FALSE(there.try_acquire_for(1ms));
    here.release(2);
    CHECK(there.try_acquire());
    CHECK(there.try_acquire_until(clock::now()));
    CHECK(there.count() == 0);
    std::thread waiter{[&] { there.acquire(); }};
    here.release();
    waiter.join();
    CHECK(there.count() == 0);
    CHECK(error_of([&] { here.release(0x80000000U); }) == errc::invalid_argument);
    here.release(sync::counting_semaphore::max());
    CHECK(error_of([&] { here.release(); }) == errc::invalid_argument);
    CHECK(error_of([&] { sync::counting_semaphore{sut.space, "d"}; }) == errc::not_found);
    CHECK(error_of([&] { sync::counting_semaphore{sut.space, "c", 1}; }) == errc::options_differ);
}

TEST_CASE("sync counting semaphore: every unit that was raised is lowered once") {
    const a_space sut;
    constexpr int each = 2000;
    std::vector<std::thread> all;
    for (int i = 0; i < 2; ++i) {
        all.emplace_back([&] {
            const auto mine = sut.another();
            sync::counting_semaphore c{mine, "c", 0};
            for (int k = 0; k < each; ++k) { c.release(); }
        });
        all.emplace_back([&] {
            const auto mine = sut.another();
            sync::counting_semaphore c{mine, "c", 0};
            for (int k = 0; k < each; ++k) { c.acquire(); }
        });
    }
    for (auto& one : all) { one.join(); }
    CHECK(sync::counting_semaphore{sut.space, "c"}.count() == 0);
}
