// The debug mode that finds lock orders which can deadlock.
#include "sync/lock_order.hpp"

#include <mutex>
#include <shared_mutex>
#include <stdexcept>

#include "sync/mutex.hpp"
#include "sync/shared_mutex.hpp"
#include "tests/support/child.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

sync::space_options watched() {
    auto options = small_space();
    options.lock_order = true;
    return options;
}

// Collects what is reported.
struct reports {
    reports() {
        sync::on_lock_order_inversion(
            [this](const sync::lock_order_inversion& what) { all.push_back(what); });
    }
    ~reports() { sync::on_lock_order_inversion({}); }

    std::vector<sync::lock_order_inversion> all;
};

}  // namespace

TEST_CASE("lock order: an inversion is reported with the names of both sides") {
    const a_space sut{watched()};
    const reports told;
    sync::mutex a{sut.space, "a"};
    sync::shared_mutex b{sut.space, "b"};
    {
        const std::lock_guard first{a};
        const std::lock_guard second{b};
    }
    CHECK(told.all.empty());
    {
        const std::shared_lock first{b};
        const std::lock_guard second{a};
    }
    REQUIRE(told.all.size() == 1);
    const auto& what = told.all[0];
    CHECK(what.wanted == "a");
    CHECK(what.held == std::vector<std::string>{"b"});
    REQUIRE(what.before.size() == 1);
    CHECK(what.before[0].held == "a");
    CHECK(what.before[0].wanted == "b");
    CHECK(what.text().find("waits for 'a' while it holds 'b'; process ") != std::string::npos);
    {
        const std::lock_guard first{b};
        const std::lock_guard second{a};
    }
    CHECK(told.all.size() == 1);  // once is enough
}

TEST_CASE("lock order: what another process did counts though it is dead") {
    const a_space sut{watched()};
    const reports told;
    pid_t other = 0;
    {
        child first{[&](const in_child& parent) {
            const auto space = sync::space::open_or_create(sut.name, watched());
            sync::mutex a{space, "a"};
            sync::mutex b{space, "b"};
            a.lock();
            b.lock();
            parent.tell_and_stay();
            return 0;
        }};
        REQUIRE(first.await());
        other = first.pid();
    }
    sync::mutex a{sut.space, "a"};
    sync::mutex b{sut.space, "b"};
    b.lock();
    CHECK(a.try_lock_for(soon));
    REQUIRE(told.all.size() == 1);
    CHECK(told.all[0].before.at(0).pid == static_cast<std::uint32_t>(other));
    a.unlock();
    b.unlock();
}

TEST_CASE("lock order: a circle of three is found and its way is told") {
    const a_space sut{watched()};
    const reports told;
    sync::mutex a{sut.space, "a"};
    sync::mutex b{sut.space, "b"};
    sync::mutex c{sut.space, "c"};
    const auto one_in_the_other = [](sync::mutex& first, sync::mutex& second) {
        const std::lock_guard outer{first};
        const std::lock_guard inner{second};
    };
    one_in_the_other(a, b);
    one_in_the_other(b, c);
    CHECK(told.all.empty());
    one_in_the_other(c, a);
    REQUIRE(told.all.size() == 1);
    REQUIRE(told.all[0].before.size() == 2);
    CHECK(told.all[0].before[0].held == "a");
    CHECK(told.all[0].before[1].wanted == "c");
}

TEST_CASE("lock order: locking what one holds is reported before it blocks for ever") {
    const a_space sut{watched()};
    sync::on_lock_order_inversion(
        [](const sync::lock_order_inversion& what) { throw std::runtime_error{what.text()}; });
    sync::mutex a{sut.space, "a"};
    a.lock();
    CHECK_THROWS_WITH(a.lock(), doctest::Contains("it waits for itself"));
    a.unlock();
    CHECK(a.try_lock());
    a.unlock();
    sync::on_lock_order_inversion({});
}

TEST_CASE("lock order: nothing is said where nobody can wait for ever") {
    const a_space sut{watched()};
    const reports told;
    sync::mutex a{sut.space, "a"};
    sync::mutex b{sut.space, "b"};
    { const std::scoped_lock both{a, b}; }
    { const std::scoped_lock both{b, a}; }
    a.lock();
    CHECK(b.try_lock());
    b.unlock();
    a.unlock();
    b.lock();
    CHECK(a.try_lock());
    a.unlock();
    b.unlock();
    CHECK(told.all.empty());
}

TEST_CASE("lock order: a forked child holds nothing of its parent's") {
    const a_space sut{watched()};
    sync::mutex a{sut.space, "a"};
    sync::mutex b{sut.space, "b"};
    b.lock();
    child forked{[&](const in_child&) {
        const auto space = sync::space::open_or_create(sut.name, watched());
        sync::mutex mine{space, "a"};
        mine.lock();
        mine.unlock();
        return 0;
    }};
    CHECK(forked.wait() == 0);
    b.unlock();
    const reports told;
    a.lock();
    b.lock();
    CHECK(told.all.empty());
    b.unlock();
    a.unlock();
}

TEST_CASE("lock order: is off unless it is asked for") {
    const a_space sut;
    const reports told;
    sync::mutex a{sut.space, "a"};
    sync::mutex b{sut.space, "b"};
    a.lock();
    b.lock();
    a.unlock();
    a.lock();
    CHECK(told.all.empty());
    a.unlock();
    b.unlock();
    ::setenv("RINGPIPE_LOCK_ORDER", "1", 1);
    const auto asked = sut.another();
    ::unsetenv("RINGPIPE_LOCK_ORDER");
    sync::mutex c{asked, "a"};
    sync::mutex d{asked, "b"};
    c.lock();
    d.lock();
    c.unlock();
    c.lock();
    CHECK(told.all.size() == 1);
    c.unlock();
    d.unlock();
}
