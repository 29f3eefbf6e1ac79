// sync::semaphore: its holders are killed.
#include "sync/semaphore.hpp"

#include <memory>
#include <vector>

#include "sync/counting_semaphore.hpp"
#include "tests/support/child.hpp"
#include "tests/support/shared.hpp"
#include "tests/support/somebody.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync semaphore: a killed holder gives back all that it held and no more") {
    const a_space sut;
    sync::semaphore s{sut.space, "s", 4};
    s.acquire();
    somebody holder{sut.name, [](const sync::space& there) {
                        sync::semaphore mine{there, "s"};
                        mine.acquire();
                        mine.acquire();
                        mine.acquire();
                        mine.release();
                        mine.acquire();
                    }};
    CHECK_FALSE(s.try_acquire());
    CHECK(s.available() == 0);
    holder.kill();
    CHECK(s.available() == 3);
    for (int i = 0; i < 3; ++i) { CHECK(s.try_acquire()); }
    CHECK_FALSE(s.try_acquire());
    for (int i = 0; i < 4; ++i) { s.release(); }
    CHECK(s.available() == 4);
}

TEST_CASE("sync semaphore: all who wait for a killed holder's units get them soon") {
    const a_space sut;
    const sync::semaphore s{sut.space, "s", 2};
    somebody holder{sut.name, [](const sync::space& there) {
                        sync::semaphore mine{there, "s"};
                        mine.acquire();
                        mine.acquire();
                    }};
    const auto wait = [&](const in_child& parent) {
        const auto space = sut.another();
        sync::semaphore mine{space, "s"};
        parent.tell();
        mine.acquire();
        parent.tell_and_stay();
        return 0;
    };
    child one{wait};
    child two{wait};
    REQUIRE(one.await());
    REQUIRE(two.await());
    CHECK_FALSE(one.await(a_moment));
    holder.kill();
    const stopwatch watch;
    CHECK(one.await());
    CHECK(two.await());
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("sync semaphore: a waiter that is killed takes nobody's turn") {
    const a_space sut;
    sync::semaphore s{sut.space, "s", 1};
    s.acquire();
    const auto wait = [&](const in_child& parent) {
        const auto space = sut.another();
        sync::semaphore mine{space, "s"};
        parent.tell();
        mine.acquire();
        parent.tell();
        return 0;
    };
    child killed{wait};
    REQUIRE(killed.await());
    CHECK_FALSE(killed.await(a_moment));
    child patient{wait};
    REQUIRE(patient.await());
    killed.kill();
    s.release();
    CHECK(patient.await());
    CHECK(patient.wait() == 0);
    CHECK(s.available() == 1);
}

TEST_CASE("sync semaphore: no unit is lost or made in a storm of kills") {
    const a_space sut;
    const shared<std::atomic<std::uint64_t>> turns;
    const sync::semaphore s{sut.space, "s", 2};
    const auto work = [&](const in_child& parent) {
        const auto space = sut.another();
        sync::semaphore mine{space, "s"};
        parent.tell();
        for (;;) {
            mine.acquire();
            ++*turns;
            mine.release();
        }
        return 0;
    };
    for (int round = 0; round < 20; ++round) {
        std::vector<std::unique_ptr<child>> all;
        for (int i = 0; i < 3; ++i) { all.push_back(std::make_unique<child>(work)); }
        for (const auto& each : all) { REQUIRE(each->await()); }
        for (auto& each : all) {
            const auto before = turns->load();
            CHECK(eventually([&] { return *turns > before + 50; }));
            each->kill();
        }
        REQUIRE(s.available() == 2);
    }
}

TEST_CASE("sync counting semaphore: units outlive who raised them") {
    const a_space sut;
    sync::counting_semaphore c{sut.space, "c", 0};
    somebody raiser{sut.name, [](const sync::space& s) {
                        sync::counting_semaphore{s, "c"}.release(3);
                    }};
    raiser.kill();
    for (int i = 0; i < 3; ++i) { CHECK(c.try_acquire()); }
    CHECK_FALSE(c.try_acquire());
}
