// Several locks at once, in whatever order: std::lock lets nobody wait for the other for ever.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

#include "sync/mutex.hpp"
#include "sync/semaphore.hpp"
#include "sync/shared_mutex.hpp"
#include "tests/support/child.hpp"
#include "tests/support/shared.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

constexpr std::uint32_t times = 3000;

struct counts {
    std::atomic<std::uint32_t> inside;
    std::atomic<std::uint32_t> crowds;     // somebody else was inside, too
    std::atomic<std::uint32_t> forwards;   // how often they were had in one order,
    std::atomic<std::uint32_t> backwards;  // and in the other
};

// All three at once, in this order or the other, until both orders have come through often enough.
void lock_all(const sync::space& space, bool forwards, counts& seen) {
    sync::mutex a{space, "a"};
    sync::shared_mutex b{space, "b"};
    sync::semaphore c{space, "c", 1};
    const auto alone = [&] {
        if (seen.inside.fetch_add(1) != 0) { ++seen.crowds; }
        seen.inside.fetch_sub(1);
        ++(forwards ? seen.forwards : seen.backwards);
    };
    while (seen.forwards < times || seen.backwards < times) {
        if (forwards) {
            const std::scoped_lock all{a, b, c};
            alone();
        } else {
            const std::scoped_lock all{c, b, a};
            alone();
        }
    }
}

}  // namespace

TEST_CASE("processes that lock several at once in opposite orders all come through") {
    const a_space made;
    const shared<counts> seen;
    const auto lock_and_leave = [&](bool forwards) {
        return [&, forwards](const in_child&) {
            lock_all(sync::space::open(made.name), forwards, *seen);
            return 0;
        };
    };
    child one{lock_and_leave(true)};
    child other{lock_and_leave(false)};
    CHECK(one.wait() == 0);
    CHECK(other.wait() == 0);
    CHECK(seen->crowds == 0U);
}
