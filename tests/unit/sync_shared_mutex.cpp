// sync::shared_mutex. Death: crash/sync_shared_mutex.cpp.
#include "sync/shared_mutex.hpp"

#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync shared mutex: many readers or one writer") {
    const a_space sut;
    const auto other = sut.another();
    sync::shared_mutex here{sut.space, "m"};
    sync::shared_mutex there{other, "m"};
    here.lock_shared();
    CHECK(there.try_lock_shared());
    CHECK(there.try_lock_shared_for(a_moment));
    CHECK_FALSE(here.try_lock());
    CHECK_FALSE(there.try_lock_for(1ms));
    there.unlock_shared();
    there.unlock_shared();
    CHECK_FALSE(there.try_lock());
    here.unlock_shared();
    CHECK(there.try_lock());
    CHECK_FALSE(here.try_lock());
    CHECK_FALSE(here.try_lock_shared());
    const stopwatch watch;
    CHECK_FALSE(here.try_lock_shared_until(clock::now() + a_moment));
    CHECK(watch.elapsed() >= a_moment);
    there.unlock();
    CHECK(here.try_lock_shared_until(std::chrono::system_clock::now() + patience));
    here.unlock_shared();
    CHECK_FALSE(here.recovered());
}

TEST_CASE("sync shared mutex: works with the locks of the standard library") {
    const a_space sut;
    sync::shared_mutex a{sut.space, "a"};
    sync::shared_mutex b{sut.space, "b"};
    {
        const std::shared_lock one{a};
        const std::shared_lock two{a, patience};
        CHECK((two.owns_lock()));
        CHECK_FALSE(a.try_lock());
    }
    const std::scoped_lock both{a, b};
    CHECK_FALSE(std::shared_lock(a, std::try_to_lock).owns_lock());
}

TEST_CASE("sync shared mutex: unlocking what one does not hold is an error") {
    const a_space sut;
    const auto other = sut.another();
    sync::shared_mutex here{sut.space, "m"};
    sync::shared_mutex there{other, "m"};
    CHECK(error_of([&] { here.unlock_shared(); }) == errc::not_held);
    CHECK(error_of([&] { here.unlock(); }) == errc::presence_lost);
    there.lock();
    CHECK(error_of([&] { here.unlock(); }) == errc::presence_lost);
    CHECK_FALSE(here.try_lock_shared());
    there.unlock();
}

TEST_CASE("sync shared mutex: a writer gets in though readers come without end") {
    const a_space sut;
    std::atomic<bool> enough{false};
    std::atomic<int> inside{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            const auto mine = sut.another();
            sync::shared_mutex m{mine, "m"};
            while (!enough) {
                const std::shared_lock hold{m};
                ++inside;
                // Until the other one is in, too: so there is hardly a moment without a reader.
                const auto until = after(1ms);
                while (inside < 2 && clock::now() < until) {}
                --inside;
            }
        });
    }
    sync::shared_mutex m{sut.space, "m"};
    for (int i = 0; i < 20; ++i) {
        CHECK(m.try_lock_for(patience));
        CHECK(inside == 0);
        m.unlock();
    }
    enough = true;
    for (auto& each : readers) { each.join(); }
}

TEST_CASE("sync shared mutex: a reader gets in though writers come without end") {
    const a_space sut;
    std::atomic<bool> enough{false};
    std::vector<std::thread> writers;
    for (int i = 0; i < 2; ++i) {
        writers.emplace_back([&] {
            const auto mine = sut.another();
            sync::shared_mutex m{mine, "m"};
            while (!enough) { const std::lock_guard hold{m}; }
        });
    }
    sync::shared_mutex m{sut.space, "m"};
    for (int i = 0; i < 20; ++i) {
        CHECK(m.try_lock_shared_for(patience));
        m.unlock_shared();
    }
    enough = true;
    for (auto& each : writers) { each.join(); }
}

TEST_CASE("sync shared mutex: readers see what a writer wrote whole") {
    const a_space sut;
    std::uint64_t first = 0;  // plain: ThreadSanitizer watches them
    std::uint64_t second = 0;
    std::atomic<bool> enough{false};
    std::atomic<int> torn{0};
    std::vector<std::thread> all;
    for (int i = 0; i < 2; ++i) {
        all.emplace_back([&] {
            sync::shared_mutex m{sut.space, "m"};  // the same mapping, so that it can
            while (!enough) {
                const std::shared_lock hold{m};
                if (first != second) { ++torn; }
            }
        });
    }
    sync::shared_mutex m{sut.space, "m"};
    for (int i = 0; i < 2000; ++i) {
        const std::lock_guard hold{m};
        ++first;
        ++second;
    }
    enough = true;
    for (auto& each : all) { each.join(); }
    CHECK(torn == 0);
}
