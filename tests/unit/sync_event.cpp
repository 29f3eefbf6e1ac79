// sync::event. Death: crash/sync_barrier_and_event.cpp.
#include "sync/event.hpp"

#include <fcntl.h>

#include <cstddef>
#include <thread>
#include <vector>

#include "common/unique_fd.hpp"
#include "sync/layout.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync event: is set until it is cleared and all who wait go on") {
    const a_space sut;
    sync::event e{sut.space, "e"};
    CHECK_FALSE(e.is_set());
    const stopwatch watch;
    CHECK_FALSE(e.wait_for(a_moment));
    CHECK(watch.elapsed() >= a_moment);
    CHECK_FALSE(e.wait_until(std::chrono::system_clock::now()));
    std::vector<std::thread> all;
    std::atomic<int> through{0};
    for (int i = 0; i < 3; ++i) {
        all.emplace_back([&] {
            const auto mine = sut.another();
            sync::event theirs{mine, "e"};
            theirs.wait();
            ++through;
        });
    }
    CHECK(through == 0);
    e.set();
    for (auto& each : all) { each.join(); }
    CHECK(through == 3);
    CHECK(e.wait_for(0ms));
    e.set();
    CHECK(e.is_set());
    e.clear();
    e.clear();
    CHECK_FALSE(e.is_set());
    CHECK_FALSE(e.wait_for(0ms));
}

TEST_CASE("sync event: who waits sees it though it is cleared at once") {
    const a_space sut;
    sync::event e{sut.space, "e"};
    // The first body of this space.
    const unique_fd file{::open(sut.name.path().c_str(), O_RDONLY | O_CLOEXEC)};
    const auto somebody_sleeps = [&] {
        const auto at =
            sync::layout::arena_offset(8, 16) + offsetof(sync::layout::event_body, waiting);
        std::uint32_t word = 0;
        REQUIRE(::pread(file.get(), &word, sizeof word, static_cast<off_t>(at)) == sizeof word);
        return (word & 1U) != 0;
    };
    for (int i = 0; i < 20; ++i) {
        std::thread waiter{[&] { CHECK(e.wait_for(patience)); }};
        CHECK(eventually(somebody_sleeps));
        e.set();
        e.clear();
        waiter.join();
        e.set();  // wakes nobody, and so takes the mark of the sleeper back
        e.clear();
    }
}

TEST_CASE("sync event: what was written before set is seen behind wait") {
    const a_space sut;
    sync::event there{sut.space, "there"};
    sync::event back{sut.space, "back"};
    int plain = 0;  // ThreadSanitizer watches it
    std::thread other{[&] {
        for (int i = 0; i < 200; ++i) {
            there.wait();
            there.clear();
            plain += 1;
            back.set();
        }
    }};
    for (int i = 0; i < 200; ++i) {
        plain += 1;
        there.set();
        back.wait();
        back.clear();
    }
    other.join();
    CHECK(plain == 400);
}
