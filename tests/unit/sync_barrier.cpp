// sync::barrier. Death: crash/sync_barrier_and_event.cpp.
#include "sync/barrier.hpp"

#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("sync barrier: nobody goes on before all have arrived") {
    const a_space sut;
    constexpr int parties = 3;
    constexpr int phases = 50;
    std::array<std::atomic<int>, parties> done{};
    std::vector<std::thread> all;
    std::atomic<int> wrong{0};
    for (std::size_t i = 0; i < parties; ++i) {
        all.emplace_back([&, i] {
            const auto mine = sut.another();
            sync::barrier b{mine, "b", parties};
            for (int phase = 1; phase <= phases; ++phase) {
                done[i].store(phase, std::memory_order_relaxed);
                b.arrive_and_wait();
                for (const auto& each : done) { wrong += each == phase ? 0 : 1; }
                b.arrive_and_wait();
            }
        });
    }
    for (auto& each : all) { each.join(); }
    CHECK(wrong == 0);
    CHECK(sync::barrier{sut.space, "b"}.phase() == 2 * phases);
}

TEST_CASE("sync barrier: an arrival stands when the time is over") {
    const a_space sut;
    const auto other = sut.another();
    sync::barrier one{sut.space, "b", 2};
    const stopwatch watch;
    CHECK_FALSE(one.arrive_and_wait_for(a_moment));  // nobody else is there yet
    CHECK(watch.elapsed() >= a_moment);
    sync::barrier two{other, "b"};
    CHECK_FALSE(one.arrive_and_wait_for(1ms));
    CHECK(one.phase() == 0);
    CHECK(two.arrive_and_wait_for(0ms));  // the last one does not wait
    CHECK(one.phase() == 1);
    CHECK_FALSE(two.arrive_and_wait_until(std::chrono::system_clock::now()));
    CHECK(one.arrive_and_wait_for(0ms));  // the end of the first phase
    CHECK(one.arrive_and_wait_for(0ms));  // arrives in the second, as the last
    CHECK(two.arrive_and_wait_for(0ms));
    CHECK(one.phase() == 2);
}

TEST_CASE("sync barrier: has so many seats and no more") {
    const a_space sut;
    CHECK(error_of([&] { sync::barrier{sut.space, "b"}; }) == errc::not_found);
    CHECK(error_of([&] { sync::barrier{sut.space, "b", 0}; }) == errc::invalid_argument);
    sync::barrier one{sut.space, "b", 2};
    CHECK(error_of([&] { sync::barrier{sut.space, "b", 3}; }) == errc::options_differ);
    {
        const sync::barrier two{sut.space, "b", 2};
        CHECK(error_of([&] { sync::barrier{sut.space, "b"}; }) == errc::members_full);
    }
    const sync::barrier in_its_place{sut.space, "b"};
    CHECK(in_its_place.parties() == 2);
}

TEST_CASE("sync barrier: who waits is told of a party that left and goes on with its successor") {
    const a_space sut;
    sync::barrier stays{sut.space, "b", 2};
    std::optional<sync::barrier> leaves;
    leaves.emplace(sut.space, "b");
    leaves.reset();
    const stopwatch watch;
    CHECK(error_of([&] { stays.arrive_and_wait(); }) == errc::party_died);
    CHECK(watch.elapsed() < soon);
    CHECK(error_of([&] { (void)stays.arrive_and_wait_for(patience); }) == errc::party_died);
    sync::barrier successor{sut.space, "b"};
    CHECK(successor.arrive_and_wait_for(0ms));
    CHECK(stays.arrive_and_wait_for(0ms));
    CHECK(stays.phase() == 1);
}

TEST_CASE("sync barrier: begins anew when all have left") {
    const a_space sut;
    for (int run = 0; run < 3; ++run) {
        sync::barrier one{sut.space, "b", 2};
        CHECK_FALSE(one.arrive_and_wait_for(a_moment));  // the second is not there yet: no error
        sync::barrier two{sut.space, "b", 2};
        CHECK(two.arrive_and_wait_for(patience));
        CHECK(one.arrive_and_wait_for(patience));
    }
}
