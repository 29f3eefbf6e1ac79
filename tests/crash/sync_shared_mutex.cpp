// sync::shared_mutex: its readers and writers are killed.
#include "sync/shared_mutex.hpp"

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/shared.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// Holds it, shared or not, until it is killed.
struct holder : child {
    holder(const a_space& sut, bool writes, int times = 1)
        : child{[&sut, writes, times](const in_child& parent) {
              const auto space = sut.another();
              sync::shared_mutex mine{space, "m"};
              for (int i = 0; i < times; ++i) { writes ? mine.lock() : mine.lock_shared(); }
              parent.tell_and_stay();
              return 0;
          }} {
        REQUIRE(await());
    }
};

}  // namespace

TEST_CASE("sync shared mutex: a killed writer lets readers and writers in and they are told") {
    const a_space sut;
    sync::shared_mutex m{sut.space, "m"};
    holder writer{sut, true};
    CHECK_FALSE(m.try_lock());
    CHECK_FALSE(m.try_lock_shared());
    writer.kill();
    SUBCASE("a reader") {
        CHECK(m.try_lock_shared_for(soon));
        CHECK(m.recovered());
        m.unlock_shared();
    }
    SUBCASE("a writer") {
        CHECK(m.try_lock_for(soon));
        CHECK(m.recovered());
        m.unlock();
    }
    SUBCASE("a writer that does not wait") {
        CHECK(m.try_lock());
        CHECK(m.recovered());
        m.unlock();
    }
    m.lock();
    CHECK(m.recovered());
    m.mark_consistent();
    m.unlock();
    CHECK(m.try_lock_shared());
    CHECK_FALSE(m.recovered());
    m.unlock_shared();
}

TEST_CASE("sync shared mutex: a killed reader keeps no writer out and nothing is marked") {
    const a_space sut;
    sync::shared_mutex m{sut.space, "m"};
    holder dead{sut, false, 3};
    auto alive = std::make_unique<holder>(sut, false);
    dead.kill();
    CHECK_FALSE(m.try_lock());  // the other one lives
    CHECK_FALSE(m.try_lock_for(a_moment));
    alive->kill();
    SUBCASE("a deadline") { CHECK(m.try_lock_for(soon)); }
    SUBCASE("at once") { CHECK(m.try_lock()); }
    SUBCASE("with a successor in the dead one's slot") {
        const auto successor = sut.another();
        sync::shared_mutex theirs{successor, "m"};
        theirs.lock_shared();
        CHECK_FALSE(m.try_lock());
        theirs.unlock_shared();
        CHECK(m.try_lock());
    }
    CHECK_FALSE(m.recovered());
    m.unlock();
}

TEST_CASE("sync shared mutex: a dead reader or writer costs one wait and not one each time") {
    auto options = small_space();
    options.liveness_interval = 200ms;
    const a_space sut{options};
    sync::shared_mutex m{sut.space, "m"};
    {
        holder reader{sut, false};
        reader.kill();
        m.lock();
        m.unlock();
        holder writer{sut, true};
        writer.kill();
        m.lock();
        m.unlock();
    }
    const stopwatch watch;
    for (int i = 0; i < 20; ++i) {
        m.lock();
        m.unlock();
    }
    CHECK(watch.elapsed() < soon);
}

TEST_CASE("sync shared mutex: a writer that is killed while it waits keeps nobody out") {
    const a_space sut;
    sync::shared_mutex m{sut.space, "m"};
    m.lock_shared();
    child writer{[&](const in_child& parent) {
        const auto space = sut.another();
        sync::shared_mutex mine{space, "m"};
        parent.tell();
        mine.lock();
        return 0;
    }};
    REQUIRE(writer.await());
    // It has come to wait once new readers are kept out.
    REQUIRE(eventually([&] {
        if (!m.try_lock_shared()) { return true; }
        m.unlock_shared();
        return false;
    }));
    writer.kill();
    CHECK(m.try_lock_shared_for(soon));
    CHECK_FALSE(m.recovered());  // it had not written
    m.unlock_shared();
    m.unlock_shared();
    CHECK(m.try_lock());
    m.unlock();
}

TEST_CASE("sync shared mutex: what it guards is whole through a storm of kills") {
    const a_space sut;
    struct pair {
        std::atomic<std::uint64_t> first, second, torn, reads;
    };
    const shared<pair> guarded;
    const auto write = [&](const in_child& parent) {
        const auto space = sut.another();
        sync::shared_mutex mine{space, "m"};
        parent.tell();
        for (;;) {
            const std::lock_guard hold{mine};
            if (mine.recovered()) {
                guarded->second = guarded->first.load();
                mine.mark_consistent();
            }
            ++guarded->first;
            ++guarded->second;
        }
        return 0;
    };
    const auto read = [&](const in_child& parent) {
        const auto space = sut.another();
        sync::shared_mutex mine{space, "m"};
        parent.tell();
        for (;;) {
            const std::shared_lock hold{mine};
            ++guarded->reads;
            if (!mine.recovered() && guarded->first != guarded->second) { ++guarded->torn; }
        }
        return 0;
    };
    for (int round = 0; round < 20; ++round) {
        std::vector<std::unique_ptr<child>> all;
        all.push_back(std::make_unique<child>(write));
        all.push_back(std::make_unique<child>(read));
        all.push_back(std::make_unique<child>(write));
        all.push_back(std::make_unique<child>(read));
        for (const auto& each : all) { REQUIRE(each->await()); }
        const auto go_on = [&](auto& counter) {
            const auto before = counter.load();
            return eventually([&] { return counter > before + 20; });
        };
        CHECK((go_on(guarded->second) && go_on(guarded->reads)));
        all[0]->kill();
        CHECK((go_on(guarded->second) && go_on(guarded->reads)));
        all[1]->kill();
        CHECK((go_on(guarded->second) && go_on(guarded->reads)));
    }
    CHECK(guarded->torn == 0);
}
