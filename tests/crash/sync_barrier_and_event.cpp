// sync::barrier and sync::event: who takes part is killed.
#include "sync/barrier.hpp"

#include <fcntl.h>

#include "common/unique_fd.hpp"
#include "sync/event.hpp"
#include "sync/layout.hpp"
#include "tests/support/child.hpp"
#include "tests/support/somebody.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync barrier: who waits is told of a party that was killed") {
    const a_space sut;
    sync::barrier mine{sut.space, "b", 2};
    child party{[&](const in_child& parent) {
        const auto space = sut.another();
        sync::barrier theirs{space, "b"};
        parent.tell_and_stay();
        return 0;
    }};
    REQUIRE(party.await());
    CHECK_FALSE(mine.arrive_and_wait_for(a_moment));  // it lives
    party.kill();
    const stopwatch watch;
    CHECK(error_of([&] { mine.arrive_and_wait(); }) == errc::party_died);
    CHECK(watch.elapsed() < soon);
    child successor{[&](const in_child&) {
        const auto space = sut.another();
        sync::barrier theirs{space, "b"};
        return theirs.arrive_and_wait_for(patience) ? 0 : 1;
    }};
    CHECK(successor.wait() == 0);
    CHECK(mine.arrive_and_wait_for(patience));
    CHECK(mine.phase() == 1);
}

TEST_CASE("sync barrier: a party that arrived before it was killed has arrived") {
    const a_space sut;
    sync::barrier mine{sut.space, "b", 2};
    child party{[&](const in_child& parent) {
        const auto space = sut.another();
        sync::barrier theirs{space, "b"};
        (void)theirs.arrive_and_wait_for(0ms);
        parent.tell_and_stay();
        return 0;
    }};
    REQUIRE(party.await());
    party.kill();
    CHECK(mine.arrive_and_wait_for(patience));
    CHECK(error_of([&] { mine.arrive_and_wait(); }) == errc::party_died);
}

TEST_CASE(
    "sync barrier: one that was killed between its arrival and the end of the phase delays it") {
    const a_space sut;
    sync::barrier mine{sut.space, "b", 2};
    child party{[&](const in_child& parent) {
        const auto space = sut.another();
        sync::barrier theirs{space, "b"};
        parent.tell_and_stay();
        return 0;
    }};
    REQUIRE(party.await());
    party.kill();
    CHECK(error_of([&] { mine.arrive_and_wait(); }) == errc::party_died);
    // Its last store: arrived in phase 0. The barrier is the first body, its seat the second.
    const unique_fd file{::open(sut.name.path().c_str(), O_RDWR | O_CLOEXEC)};
    const auto arrived =
        static_cast<off_t>(sync::layout::arena_offset(8, 16) + sizeof(sync::layout::barrier_body) +
                           sizeof(sync::layout::seat) + 4);
    const std::uint32_t in_phase_0 = 1;
    REQUIRE(::pwrite(file.get(), &in_phase_0, sizeof in_phase_0, arrived) == sizeof in_phase_0);
    CHECK(mine.arrive_and_wait_for(soon));
    CHECK(mine.phase() == 1);
}

TEST_CASE("sync barrier: what a killed run left does not disturb the next") {
    const a_space sut;
    {
        child one{[&](const in_child& parent) {
            const auto space = sut.another();
            sync::barrier theirs{space, "b", 2};
            sync::barrier second{space, "b", 2};
            (void)theirs.arrive_and_wait_for(0ms);
            parent.tell_and_stay();
            return 0;
        }};
        REQUIRE(one.await());
    }
    sync::barrier mine{sut.space, "b"};
    CHECK_FALSE(mine.arrive_and_wait_for(3 * a_moment));  // the other seat is free: no error
    sync::barrier other{sut.space, "b"};
    CHECK(other.arrive_and_wait_for(patience));
    CHECK(mine.arrive_and_wait_for(patience));
}

TEST_CASE("sync event: one that was set by a process that is dead is set") {
    const a_space sut;
    sync::event e{sut.space, "e"};
    somebody setter{sut.name, [](const sync::space& s) { sync::event{s, "e"}.set(); }};
    setter.kill();
    CHECK(e.wait_for(0ms));
}

TEST_CASE("sync event: a killed waiter keeps nobody from waking") {
    const a_space sut;
    sync::event e{sut.space, "e"};
    const auto wait = [&](const in_child& parent) {
        const auto space = sut.another();
        sync::event theirs{space, "e"};
        parent.tell();
        theirs.wait();
        return 0;
    };
    child killed{wait};
    child waits{wait};
    REQUIRE(killed.await());
    REQUIRE(waits.await());
    killed.kill();
    e.set();
    CHECK(waits.wait() == 0);
}
