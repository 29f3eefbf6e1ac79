// sync::mutex: its owner is killed.
#include "sync/mutex.hpp"

#include <fcntl.h>

#include <mutex>

#include "common/unique_fd.hpp"
#include "sync/layout.hpp"
#include "tests/support/child.hpp"
#include "tests/support/shared.hpp"
#include "tests/support/somebody.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync mutex: a killed owner gives it back and the next one is told") {
    const a_space sut;
    sync::mutex m{sut.space, "m"};
    somebody owner{sut.name, [](const sync::space& s) { sync::mutex{s, "m"}.lock(); }};
    CHECK_FALSE(m.try_lock());
    owner.kill_without_reaping();  // a zombie holds nothing
    SUBCASE("try_lock") { CHECK(m.try_lock()); }
    SUBCASE("a deadline") { CHECK(m.try_lock_for(soon)); }
    SUBCASE("no deadline") { m.lock(); }
    CHECK(m.recovered());
    m.unlock();
}

TEST_CASE("sync mutex: nobody gets the member id of a dead owner though incarnations wrap") {
    const a_space sut;
    somebody owner{sut.name, [](const sync::space& s) { sync::mutex{s, "m"}.lock(); }};
    owner.kill();
    // As if there had been 65,535 more since.
    const unique_fd file{::open(sut.name.path().c_str(), O_RDWR | O_CLOEXEC)};
    const auto at =
        static_cast<off_t>(sync::layout::members_offset() + sizeof(sync::layout::member));
    const std::uint32_t before = 0xffffU + 1;
    REQUIRE(::pwrite(file.get(), &before, sizeof before, at) == sizeof before);
    const auto successor = sut.another();
    sync::mutex m{successor, "m"};
    CHECK(m.try_lock_for(soon));
    CHECK(m.recovered());
    m.unlock();
}

TEST_CASE("sync mutex: who waits when the owner is killed gets it soon") {
    const a_space sut;
    somebody owner{sut.name, [](const sync::space& s) { sync::mutex{s, "m"}.lock(); }};
    child waiter{[&](const in_child& parent) {
        const auto space = sut.another();
        sync::mutex mine{space, "m"};
        parent.tell();
        mine.lock();
        parent.tell(mine.recovered() ? 'r' : 'l');
        parent.wait_for_go();
        mine.unlock();
        return 0;
    }};
    REQUIRE(waiter.await());
    CHECK_FALSE(waiter.await(a_moment));
    owner.kill();
    const stopwatch watch;
    CHECK(waiter.await() == 'r');
    CHECK(watch.elapsed() < soon);
    waiter.go();
    CHECK(waiter.wait() == 0);
}

TEST_CASE("sync mutex: what it guards is whole through a storm of kills") {
    const a_space sut;
    // Two numbers that are equal whenever nobody is at work.
    struct pair {
        std::atomic<std::uint64_t> first, second;
    };
    const shared<pair> guarded;
    sync::mutex m{sut.space, "m"};
    const auto work = [&](const in_child& parent) {
        const auto space = sut.another();
        sync::mutex mine{space, "m"};
        parent.tell();
        for (;;) {
            const std::lock_guard hold{mine};
            if (mine.recovered()) {
                guarded->second.store(guarded->first.load());
                mine.mark_consistent();
            }
            if (guarded->first != guarded->second) { return 1; }
            ++guarded->first;
            ++guarded->second;
        }
    };
    for (int round = 0; round < 40; ++round) {
        child one{work};
        child two{work};
        REQUIRE(one.await());
        REQUIRE(two.await());
        const auto before = guarded->second.load();
        REQUIRE(eventually([&] { return guarded->second > before + 100; }));
        one.kill();
        const auto then = guarded->second.load();
        CHECK(eventually([&] { return guarded->second > then + 100; }));  // the other goes on
        two.kill();
    }
    REQUIRE(m.try_lock_for(patience));
    CHECK((m.recovered() || guarded->first == guarded->second));
    m.unlock();
}
