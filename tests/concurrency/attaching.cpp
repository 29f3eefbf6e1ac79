// Many at once make, open, join, and leave the same ring.
#include <atomic>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "shm/append_lock.hpp"
#include "shm/membership.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// Runs `action(i)` in `count` threads, as nearly at once as can be; what they threw.
std::vector<std::string> all_at_once(int count, const std::function<void(int)>& action) {
    std::atomic<int> ready{0};
    std::vector<std::string> wrong(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            for (++ready; ready < count;) { std::this_thread::yield(); }
            try {
                action(i);
            } catch (const std::exception& e) { wrong[static_cast<std::size_t>(i)] = e.what(); }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    std::erase(wrong, "");
    return wrong;
}

constexpr int contenders = 4;

}  // namespace

TEST_CASE("attaching: of those who make the same ring at once one makes it and all get it") {
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        const unique_name name;
        // Also over the file of a creator that died.
        if (round % 2 == 1) {
            std::ofstream{name.path()}.write(reinterpret_cast<const char*>(&layout::magic_creating),
                                             8);
        }
        const auto wrong = all_at_once(contenders, [&](int i) {
            producer out{ring::open_or_create(name, small())};
            out.send(bytes(std::to_string(i)));
        });
        CHECK(wrong == std::vector<std::string>{});
        consumer in{ring::open(name)};
        const auto got = take_texts(in, contenders);
        CHECK(std::set<std::string>(got.begin(), got.end()) ==
              std::set<std::string>{"0", "1", "2", "3"});
    }
}

TEST_CASE("attaching: of those who create the same ring at once exactly one succeeds") {
    for (int round = 0; round < 60; ++round) {
        const unique_name name;
        const auto wrong = all_at_once(contenders, [&](int) { (void)ring::create(name, small()); });
        CHECK(wrong.size() == contenders - 1);
    }
}

TEST_CASE("attaching: making and removing at once leaves a ring or none and no error") {
    const unique_name name;
    const auto wrong = all_at_once(contenders, [&](int i) {
        for (int round = 0; round < 100; ++round) {
            if (i == 0) {
                (void)ring::remove(name);
            } else {
                (void)ring::open_or_create(name, small());
            }
        }
    });
    CHECK(wrong == std::vector<std::string>{});
}

TEST_CASE("attaching: two never get the same slot and all slots come back") {
    const a_ring sut;  // eight slots
    const segment_view view{sut.name.path()};
    std::atomic<int> too_many{0};
    std::atomic<int> inside{0};
    const auto wrong = all_at_once(contenders, [&](int) {
        for (int round = 0; round < 150; ++round) {
            const producer a{sut.ring};
            const producer b{sut.ring};
            if ((inside += 2) > 8) { ++too_many; }
            inside -= 2;
        }
    });
    CHECK(wrong == std::vector<std::string>{});
    CHECK(too_many == 0);
    CHECK(sut.ring.status().members.empty());
    for (std::uint32_t slot = 0; slot < view.members(); ++slot) {
        CHECK_FALSE(byte_is_held(sut.name.path(), slot));
    }
    CHECK(view.control().producers_ever == contenders * 150 * 2);
    CHECK_FALSE(sut.ring.status().truncated);
}

TEST_CASE("attaching: producers that come and go cleanly are never taken for dead") {
    const a_ring sut;
    std::atomic<bool> stop{false};
    std::thread watcher{[&] {
        consumer in{sut.ring};
        while (!stop) { (void)in.try_receive(); }
    }};
    const auto wrong = all_at_once(3, [&](int) {
        for (int round = 0; round < 1000; ++round) { const producer passing{sut.ring}; }
    });
    stop = true;
    watcher.join();
    CHECK(wrong == std::vector<std::string>{});
    CHECK_FALSE(sut.ring.status().truncated);
}

TEST_CASE("attaching: a group that all ask for at once is one group") {
    for (int round = 0; round < 30; ++round) {
        const a_ring sut;
        const auto wrong = all_at_once(contenders, [&](int) {
            consumer_options options;
            options.group = "wanted";
            const consumer in{sut.ring, options};
        });
        CHECK(wrong == std::vector<std::string>{});
        CHECK(sut.ring.status().groups.size() == 1);
    }
}

TEST_CASE("attaching: ephemeral groups that come and go under traffic hold nobody up for good") {
    const a_ring sut;
    consumer stays{sut.ring};
    producer out{sut.ring};
    std::atomic<bool> stop{false};
    std::thread passing{[&] {
        while (!stop) {
            consumer_options options;
            options.group = "passing";
            options.kind = group_kind::ephemeral;
            consumer in{sut.ring, options};
            for (int i = 0; i < 5; ++i) { (void)in.receive_for(1ms); }
        }
    }};
    for (int i = 0; i < 2000; ++i) {
        const auto text = pattern(static_cast<std::size_t>(i % 300), static_cast<std::uint64_t>(i));
        REQUIRE(out.send_for(bytes(text), patience));
        const auto got = take_texts(stays, 1);
        REQUIRE(got.size() == 1);
        REQUIRE(got[0] == text);
    }
    stop = true;
    passing.join();
    CHECK(sut.ring.status().groups.size() == 1);
}

TEST_CASE("locks: what the tail lock guards is changed by one at a time") {
    const a_ring sut;
    long counter = 0;  // not atomic: TSan and the sum both tell
    constexpr int rounds = 5000;
    const auto wrong = all_at_once(contenders, [&](int) {
        const membership me{sut.ring.shared(), layout::role::tool, ""};
        append_lock lock{*sut.ring.shared(), me.id()};
        for (int i = 0; i < rounds; ++i) {
            lock.lock();
            ++counter;
            lock.unlock();
        }
    });
    CHECK(wrong == std::vector<std::string>{});
    CHECK(counter == contenders * rounds);
}
