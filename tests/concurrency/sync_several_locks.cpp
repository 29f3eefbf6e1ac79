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

constexpr int times = 300;

// All three at once, in this order or the other; the mutex guards the count.
void lock_all(const sync::space& space, bool forwards, std::atomic<std::uint32_t>& inside,
              std::atomic<std::uint32_t>& crowds) {
    sync::mutex a{space, "a"};
    sync::shared_mutex b{space, "b"};
    sync::semaphore c{space, "c", 1};
    for (int i = 0; i < times; ++i) {
        const auto alone = [&] {
            if (inside.fetch_add(1) != 0) { ++crowds; }
            inside.fetch_sub(1);
        };
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
    struct counts {
        std::atomic<std::uint32_t> inside;
        std::atomic<std::uint32_t> crowds;
    };
    const shared<counts> seen;
    child other{[&](const in_child& parent) {
        const auto theirs = sync::space::open(made.name);
        parent.tell();
        lock_all(theirs, false, seen->inside, seen->crowds);
        return 0;
    }};
    REQUIRE(other.await());
    lock_all(made.space, true, seen->inside, seen->crowds);
    CHECK(other.wait() == 0);
    CHECK(seen->crowds == 0);
}
