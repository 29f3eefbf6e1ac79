// sync::mutex in one process. That processes exclude each other, and death: crash/sync_mutex.cpp.
#include "sync/mutex.hpp"

#include <atomic>
#include <mutex>
#include <thread>

#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync mutex: excludes and says when its time is over") {
    const a_space sut;
    const auto other = sut.another();
    sync::mutex here{sut.space, "m"};
    sync::mutex there{other, "m"};
    here.lock();
    CHECK_FALSE(there.try_lock());
    const stopwatch watch;
    CHECK_FALSE(there.try_lock_for(a_moment));
    CHECK_FALSE(there.try_lock_until(std::chrono::system_clock::now() + a_moment));
    CHECK(watch.elapsed() >= 2 * a_moment - 1ms);
    CHECK_FALSE(there.try_lock_until(std::chrono::system_clock::time_point::min()));
    here.unlock();
    CHECK(there.try_lock_until(clock::now() + patience));
    CHECK_FALSE(here.try_lock());
    there.unlock();
    CHECK_FALSE(here.recovered());
}

TEST_CASE("sync mutex: works with the locks of the standard library") {
    const a_space sut;
    sync::mutex a{sut.space, "a"};
    sync::mutex b{sut.space, "b"};
    {
        const std::scoped_lock both{a, b};
        CHECK_FALSE(a.try_lock());
        CHECK_FALSE(b.try_lock());
    }
    std::unique_lock one{a, std::defer_lock};
    CHECK(one.try_lock_for(patience));
    std::unique_lock two{b, patience};
    CHECK(two.owns_lock());
    one.unlock();
    two.unlock();
    std::lock(one, two);
    CHECK((one.owns_lock() && two.owns_lock()));
}

TEST_CASE("sync mutex: unlocking what another holds is an error") {
    const a_space sut;
    const auto other = sut.another();
    sync::mutex here{sut.space, "m"};
    sync::mutex there{other, "m"};
    CHECK(error_of([&] { here.unlock(); }) == errc::presence_lost);
    there.lock();
    CHECK(error_of([&] { here.unlock(); }) == errc::presence_lost);
    there.unlock();
}

TEST_CASE("sync mutex: threads of one process and of several exclude each other") {
    const a_space sut;
    constexpr int each = 2000;
    // Counted in two steps that are not one. (ThreadSanitizer does not see that two mappings of the
    // space are the same lock, so a plain number would be a race to it.)
    std::atomic<int> guarded{0};
    sync::mutex shared_handle{sut.space, "m"};
    const auto work = [&](sync::mutex& m) {
        for (int i = 0; i < each; ++i) {
            const std::lock_guard hold{m};
            guarded.store(guarded.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
    };
    std::thread one{[&] { work(shared_handle); }};
    std::thread two{[&] { work(shared_handle); }};
    std::thread three{[&] {
        const auto other = sut.another();
        sync::mutex m{other, "m"};
        work(m);
    }};
    one.join();
    two.join();
    three.join();
    CHECK(guarded == 3 * each);
}

TEST_CASE("sync mutex: the mark of a death stays until somebody takes it back") {
    const a_space sut;
    sync::mutex m{sut.space, "m"};
    {
        const auto gone = sut.another();
        sync::mutex theirs{gone, "m"};
        theirs.lock();
    }  // its handle of the space goes, and never unlocked
    const stopwatch watch;
    m.lock();
    CHECK(watch.elapsed() < soon);
    CHECK(m.recovered());
    m.unlock();
    m.lock();
    CHECK(m.recovered());
    m.mark_consistent();
    m.unlock();
    m.lock();
    CHECK_FALSE(m.recovered());
    m.unlock();
}
