// Sleeping on a word, and waking. With real sleepers: concurrency/waiting.cpp.
#include "shm/wait_word.hpp"

#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("futex: does not sleep on a word that has changed") {
    const std::atomic<std::uint32_t> word{7};
    const stopwatch watch;
    futex::wait(word, 6, never);
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("futex: sleeps to the deadline and not beyond") {
    const std::atomic<std::uint32_t> word{7};
    const stopwatch watch;
    // It may wake for nothing, but not always.
    for (int i = 0; i < 100 && watch.elapsed() < a_moment; ++i) {
        futex::wait(word, 7, after(a_moment));
    }
    CHECK(watch.elapsed() >= a_moment);
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("futex: a deadline in the past is over at once") {
    const std::atomic<std::uint32_t> word{7};
    const stopwatch watch;
    futex::wait(word, 7, deadline::min());
    futex::wait(word, 7, clock::now() - 1h);
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("futex: a wake without sleepers wakes nobody") {
    const std::atomic<std::uint32_t> word{7};
    CHECK(futex::wake(word, futex::everyone) == 0);
}

TEST_CASE("wait word: each announcement and each wake is another epoch") {
    std::atomic<std::uint32_t> word{0};
    const auto first = wait_word::announce(word);
    CHECK(wait_word::announced(word));
    CHECK(word == first);
    const auto second = wait_word::announce(word);
    CHECK(second != first);
    wait_word::wake(word, 1);
    CHECK(word != second);
    CHECK((word & ~wait_word::sleeping) != (second & ~wait_word::sleeping));
}

TEST_CASE("wait word: a wake that wakes nobody clears what a killed sleeper left") {
    std::atomic<std::uint32_t> word{0};
    (void)wait_word::announce(word);
    wait_word::wake(word, 1);
    CHECK_FALSE(wait_word::announced(word));
}

TEST_CASE("wait word: a wake between the announcement and the sleep is not lost") {
    std::atomic<std::uint32_t> word{0};
    const auto epoch = wait_word::announce(word);
    wait_word::wake(word, 1);
    const stopwatch watch;
    futex::wait(word, epoch, after(patience));
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("wait word: its epoch may wrap") {
    std::atomic<std::uint32_t> word{0xfffffffeU};
    (void)wait_word::announce(word);
    CHECK(wait_word::announced(word));
    word = 0xffffffffU;
    wait_word::wake(word, 1);
    CHECK_FALSE(wait_word::announced(word));
}
