// How long a consumer pauses: never in a conversation, briefly behind a steady producer, longer
// where it makes the producer faster. On a clock of the test's own.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "shm/distance.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

using rest = std::chrono::nanoseconds;

// What comes during a pause of that length, in messages per microsecond.
using traffic = std::function<double(rest)>;

struct consumer_model {
    distance sut;
    clock::time_point now{};
    rest last{};
    rest all{};                  // pauses so far
    std::uint64_t messages = 1;  // since it ran dry last

    // Runs dry, pauses, and takes what has come meanwhile at 10 ns each; until `until`.
    void run_until(clock::time_point until, const traffic& per_us) {
        while (now < until) {
            last = sut.pause_after(messages, now);
            const auto rate = per_us(last);
            all += last;
            now += last + 100ns;
            messages =
                1 + static_cast<std::uint64_t>(rate * static_cast<double>(last.count()) / 1e3);
            now += messages * 10ns;
        }
    }
};

}  // namespace

TEST_CASE("distance: in a conversation almost no time is spent in pauses") {
    consumer_model model;
    model.run_until(model.now + 100ms, [](rest) { return 0.0; });
    CHECK(model.all < 1ms);
}

TEST_CASE("distance: a producer that is faster when left alone is left alone") {
    consumer_model model;
    model.run_until(model.now + 100ms, [](rest left_alone) {
        return left_alone < 10us ? 10.0 : left_alone < 50us ? 40.0 : 80.0;
    });
    CHECK(model.last >= 50us);
}

TEST_CASE("distance: a producer with a pace of its own is followed closely") {
    consumer_model model;
    // First one that gains by it, so that there is something to come down from.
    model.run_until(model.now + 50ms,
                    [](rest left_alone) { return left_alone < 10us ? 5.0 : 80.0; });
    REQUIRE(model.last >= 10us);
    model.run_until(model.now + 500ms, [](rest) { return 5.0; });
    // But for a trial now and then.
    std::size_t close = 0;
    for (int i = 0; i < 100; ++i) {
        model.run_until(model.now + 1ms, [](rest) { return 5.0; });
        close += model.last <= 4us ? 1 : 0;
    }
    CHECK(close > 80);
}

TEST_CASE("distance: a flood that ends is noticed at the first pause that brings nothing") {
    consumer_model model;
    model.run_until(model.now + 50ms, [](rest) { return 50.0; });
    REQUIRE(model.last > 0us);
    CHECK(model.sut.pause_after(1, model.now) == 0us);
}

TEST_CASE("distance: no pause is longer than a quarter of a millisecond") {
    consumer_model model;
    rest longest{};
    for (int i = 0; i < 1000; ++i) {
        model.run_until(model.now + 1ms,
                        [](rest p) { return 5 * std::sqrt(static_cast<double>(p.count()) / 1e3); });
        longest = std::max(longest, model.last);
    }
    CHECK(longest == 256us);
}
