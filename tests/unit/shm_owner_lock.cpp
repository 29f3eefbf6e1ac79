// The lock that names its owner. That two threads exclude each other: concurrency/attaching.cpp.
#include "shm/owner_lock.hpp"

#include "shm/membership.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

struct a_lock {
    a_ring in;
    const segment& where = *in.ring.shared();
    membership me{in.ring.shared(), layout::role::tool, ""};
    membership other{in.ring.shared(), layout::role::tool, ""};
    std::atomic<std::uint32_t> word{0};
    owner_lock sut{where, word};
};

}  // namespace

TEST_CASE("lock: a free one is taken at once and names its owner until it is unlocked") {
    a_lock test;
    CHECK(test.sut.try_lock_until(test.me.id(), deadline::min()) == lock_result::acquired);
    CHECK(test.word == test.me.id());
    test.sut.unlock(test.me.id());
    CHECK(test.word == 0);
}

TEST_CASE("lock: one that a living member holds is waited for until the deadline") {
    a_lock test;
    REQUIRE(test.sut.try_lock_until(test.other.id(), never) == lock_result::acquired);
    const stopwatch watch;
    CHECK(test.sut.try_lock_until(test.me.id(), deadline::min()) == lock_result::timed_out);
    CHECK(test.sut.try_lock_until(test.me.id(), after(a_moment)) == lock_result::timed_out);
    CHECK(watch.elapsed() >= a_moment);
    CHECK(watch.elapsed() < soon);
    CHECK(owner_lock::owner_of(test.word) == test.other.id());
    test.sut.unlock(test.other.id());
    CHECK(test.sut.try_lock_until(test.me.id(), deadline::min()) == lock_result::acquired);
}

TEST_CASE("lock: one that a dead member holds is taken over and the taker is told") {
    a_lock test;
    SUBCASE("of a slot that nobody has") { test.word = layout::make_member_id(6, 1); }
    SUBCASE("of an earlier incarnation of a slot that somebody has") {
        test.word = test.other.id() - (1U << 12U);
    }
    SUBCASE("of an earlier incarnation of one's own slot") {
        test.word = test.me.id() - (1U << 12U);
    }
    SUBCASE("with sleepers") { test.word = layout::make_member_id(6, 1) | owner_lock::waiting; }
    CHECK(test.sut.try_lock_until(test.me.id(), after(patience)) == lock_result::recovered);
    CHECK(owner_lock::owner_of(test.word) == test.me.id());
    test.sut.unlock(test.me.id());
    CHECK(test.word == 0);
}

TEST_CASE("lock: an owner that cannot exist is a dead one") {
    a_lock test;
    SUBCASE("a slot beyond the table") { test.word = layout::make_member_id(4000, 1); }
    SUBCASE("slot -1") { test.word = 7U << 12U; }
    SUBCASE("all bits") { test.word = 0xffffffffU; }
    SUBCASE("bits that no member has") { test.word = 1U << 30U; }
    CHECK(test.sut.try_lock_until(test.me.id(), after(patience)) == lock_result::recovered);
    test.sut.unlock(test.me.id());
    CHECK(test.word == 0);
}

TEST_CASE("lock: a bit of sleepers that are gone keeps nobody out") {
    a_lock test;
    test.word = owner_lock::waiting;
    CHECK(test.sut.try_lock_until(test.me.id(), after(patience)) == lock_result::acquired);
    test.sut.unlock(test.me.id());
    CHECK(test.word == 0);
}

TEST_CASE("lock: its owner is told if it was taken from him") {
    a_lock test;
    REQUIRE(test.sut.try_lock_until(test.me.id(), never) == lock_result::acquired);
    test.word = test.other.id();
    CHECK(error_of([&] { test.sut.unlock(test.me.id()); }) == errc::presence_lost);
    CHECK(test.word == test.other.id());
}
