// Those who wait are woken, by each event that they may wait for, and cost nothing meanwhile.
#include <atomic>
#include <ctime>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

consumer_options of_group(const std::string& group, wait_strategy wait = wait_strategy::adaptive) {
    consumer_options options;
    options.group = group;
    options.wait = wait;
    return options;
}

// So rare a look at the dead that only a wake explains a quick end.
ring_options sleepy() {
    auto options = small();
    options.liveness_interval = std::chrono::seconds{30};
    return options;
}

struct a_sleepy_ring : a_ring {
    a_sleepy_ring() : a_ring{sleepy()} {}

    segment_view view{name.path()};

    [[nodiscard]] bool consumer_sleeps(std::size_t group = 0) const {
        return (view.group(group).waiting & 1U) != 0;
    }
    [[nodiscard]] bool producer_sleeps() const { return (view.room().waiting & 1U) != 0; }
};

template <class Result>
bool is_there(std::future<Result>& result) {
    return result.wait_for(patience) == std::future_status::ready;
}

double cpu_seconds_of_this_thread() {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

}  // namespace

TEST_CASE("waiting: a sleeping consumer is woken by a message however that is sent") {
    const std::pair<std::string, std::function<void(producer&)>> ways[] = {
        {"send", [](producer& out) { out.send(bytes("x")); }},
        {"batch",
         [](producer& out) {
             const std::span<const std::byte> batch[] = {bytes("x"), bytes("y")};
             out.send_batch(batch);
         }},
        {"loan",
         [](producer& out) {
             auto lent = out.lend(1);
             lent.payload()[0] = std::byte{'x'};
             lent.commit();
         }},
        {"a message behind a loan that is then discarded",
         [](producer& out) {
             auto lent = out.lend(1);
             CHECK(out.try_send(bytes("x")));
             lent.discard();
         }},
    };
    for (const auto wait : {wait_strategy::adaptive, wait_strategy::block}) {
        for (const auto& each : ways) {
            const auto& way = each.first;  // clang 14 captures no structured bindings
            const auto& send = each.second;
            CAPTURE(way);
            CAPTURE(static_cast<int>(wait));
            const a_sleepy_ring sut;
            producer out{sut.ring};
            auto text = std::async(std::launch::async, [&] {
                consumer in{sut.ring, of_group("g", wait)};
                return std::string{in.receive_for(patience).text()};
            });
            CHECK(eventually([&] { return sut.consumer_sleeps(); }));
            send(out);
            CHECK(is_there(text));
            CHECK(text.get() == "x");
        }
    }
}

TEST_CASE("waiting: a sleeping consumer is woken by the end of the stream") {
    const a_sleepy_ring sut;
    producer out{sut.ring};
    auto expected = receive_status::end;
    auto status = std::async(std::launch::async, [&] {
        consumer in{sut.ring};
        return in.receive_for(patience).status();
    });
    CHECK(eventually([&] { return sut.consumer_sleeps(); }));
    SUBCASE("closed") { out.close(); }
    SUBCASE("abandoned") {
        out.abandon();
        expected = receive_status::truncated;
    }
    CHECK(is_there(status));
    CHECK(status.get() == expected);
}

TEST_CASE("waiting: every group is woken by one message and every consumer by the end") {
    const a_sleepy_ring sut;
    producer out{sut.ring};
    std::vector<std::future<std::size_t>> counts;
    for (int i = 0; i < 4; ++i) {
        counts.push_back(std::async(std::launch::async, [&, i] {
            consumer in{sut.ring, of_group(i % 2 == 0 ? "even" : "odd", wait_strategy::block)};
            std::size_t count = 0;
            while (auto message = in.receive_for(patience)) {
                in.acknowledge(message);
                ++count;
            }
            return count;
        }));
    }
    CHECK(eventually([&] {
        return sut.ring.status().consumers == 4 && sut.consumer_sleeps(0) && sut.consumer_sleeps(1);
    }));
    send_all(out, {"for both"});
    out.close();
    std::size_t total = 0;
    for (auto& count : counts) {
        CHECK(is_there(count));
        total += count.get();
    }
    CHECK(total == 2);
}

TEST_CASE("waiting: several sleepers of one group are all put to work by several messages") {
    const a_sleepy_ring sut;
    producer out{sut.ring};
    std::atomic<int> holding{0};
    std::vector<std::future<void>> all;
    for (int i = 0; i < 3; ++i) {
        all.push_back(std::async(std::launch::async, [&] {
            auto options = of_group("g", wait_strategy::block);
            options.prefetch = 1;
            consumer in{sut.ring, options};
            if (const auto message = in.receive_for(patience)) {
                // Each keeps its message until every one has one.
                ++holding;
                (void)eventually([&] { return holding == 3; });
                in.acknowledge(message);
            }
        }));
    }
    CHECK(eventually([&] { return sut.ring.status().consumers == 3 && sut.consumer_sleeps(); }));
    send_all(out, {"1", "2", "3"});
    for (auto& each : all) { CHECK(is_there(each)); }
    CHECK(holding == 3);
}

TEST_CASE("waiting: a sleeping producer is woken by room however it comes about") {
    const a_sleepy_ring sut;
    sut.ring.add_group("g");
    producer out{sut.ring};
    fill(out, pattern(500));
    auto in = std::make_unique<consumer>(sut.ring, of_group("g"));
    REQUIRE(in->receive_for(patience));
    auto sent =
        std::async(std::launch::async, [&] { return out.send_for(bytes(pattern(500)), patience); });
    CHECK(eventually([&] { return sut.producer_sleeps(); }));
    SUBCASE("all is acknowledged") {
        in->acknowledge();
        while (auto message = in->try_receive()) { in->acknowledge(message); }
    }
    SUBCASE("one is acknowledged and its consumer leaves") {
        in->acknowledge();
        in.reset();
    }
    SUBCASE("the group is removed") {
        in.reset();
        sut.ring.add_group("another, which has nothing to read", start_at::latest);
        sut.ring.remove_group("g");
    }
    CHECK(is_there(sent));
    CHECK(sent.get());
}

TEST_CASE("waiting: the producer of a full ring goes on when its slowest group does") {
    const a_sleepy_ring sut;
    consumer quick{sut.ring, of_group("quick")};
    consumer slow{sut.ring, of_group("slow")};
    producer out{sut.ring};
    const auto count = fill(out, pattern(500));
    auto sent =
        std::async(std::launch::async, [&] { return out.send_for(bytes(pattern(500)), patience); });
    CHECK(eventually([&] { return sut.producer_sleeps(); }));
    CHECK(take(quick, count).size() == count);
    CHECK(sent.wait_for(a_moment) == std::future_status::timeout);
    CHECK(take(slow, count).size() == count);
    CHECK(is_there(sent));
    CHECK(sent.get());
}

TEST_CASE("waiting: a large message is not starved by small ones") {
    const a_ring sut;
    std::atomic<bool> stop{false};
    producer large{sut.ring};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            producer small_ones{sut.ring};
            while (!stop) { (void)small_ones.send_for(bytes("small"), 10ms); }
        });
    }
    threads.emplace_back([&] {
        consumer in{sut.ring};
        while (const auto message = in.receive_for(patience)) { in.acknowledge(message); }
    });
    const auto text = pattern(3500);
    for (int i = 0; i < 20; ++i) { CHECK(large.send_for(bytes(text), patience)); }
    stop = true;
    large.close();
    for (auto& thread : threads) { thread.join(); }
}

TEST_CASE("waiting: a sender whose turn it was and gave up lets the others go on") {
    const a_ring sut;
    consumer in{sut.ring};
    producer gives_up{sut.ring};
    producer other{sut.ring};
    const auto sent = fill(other, pattern(100));
    CHECK_FALSE(gives_up.send_for(bytes(pattern(3000)), a_moment));
    REQUIRE(take(in, 1).size() == 1);
    CHECK(other.send_for(bytes(pattern(100)), patience));
    CHECK(take(in, sent).size() == sent);
}

TEST_CASE("waiting: costs next to no processor time") {
    const a_ring sut;
    consumer in{sut.ring};
    producer out{sut.ring};
    auto before = cpu_seconds_of_this_thread();
    CHECK(in.receive_for(300ms).status() == receive_status::timed_out);
    CHECK(cpu_seconds_of_this_thread() - before < 0.1);

    fill(out, pattern(500));
    before = cpu_seconds_of_this_thread();
    CHECK_FALSE(out.send_for(bytes(pattern(500)), 300ms));
    CHECK(cpu_seconds_of_this_thread() - before < 0.1);
}
