// What the benchmarks believe of a figure rests on these.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "bench/exactly_once.hpp"
#include "bench/messages.hpp"
#include "bench/statistics.hpp"
#include "bench/tally.hpp"

using namespace ringpipe::bench;

namespace {

constexpr std::size_t size = 256;

// What a receiver sees, as memory of its own.
std::vector<std::byte> copy_of(bytes message) { return {message.begin(), message.end()}; }

struct stream_of_three {
    stream_of_three() {
        messages next{size};
        for (std::uint64_t number = 0; number < 3; ++number) {
            sent.push_back(copy_of(next(number, number == 2)));
        }
    }
    std::vector<std::vector<std::byte>> sent;
    message_checker check{size};
};

// Two senders of four messages each, and what each of two receivers got: (sender, number).
using got = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

measurement judge(const got& first, const got& second) {
    team_outcome outcome;
    const auto report = [&](const auto& what) {
        std::memcpy(outcome.reports.emplace_back().data(), &what, sizeof what);
    };
    report(sent_by_one{4});
    report(sent_by_one{4});
    for (const auto& one : {first, second}) {
        share_checker check{size, 2, 0};
        for (const auto& [sender, number] : one) {
            messages next{size, sender};
            for (std::uint64_t before = 0; before < number; ++before) { (void)next(before); }
            check(next(number));
        }
        report(check.result());
    }
    return judge_exactly_once(outcome, 2, 2, 1, size);
}

}  // namespace

TEST_CASE_FIXTURE(stream_of_three, "benchmark: a whole stream is verified up to its last message") {
    for (const auto& one : sent) {
        CHECK_FALSE(check.done());
        check(one);
    }
    CHECK(check.done());
    CHECK(check.verified() == 3);
}

TEST_CASE_FIXTURE(stream_of_three, "benchmark: any changed byte of a message fails it") {
    for (std::size_t at = 0; at < size; ++at) {
        auto damaged = sent[0];
        damaged[at] ^= std::byte{0x10};
        CHECK_THROWS_AS(message_checker{check}(damaged), std::runtime_error);
    }
}

TEST_CASE_FIXTURE(stream_of_three, "benchmark: a lost or repeated or cut message fails it") {
    CHECK_THROWS_AS(message_checker{check}(sent[1]), std::runtime_error);
    check(sent[0]);
    CHECK_THROWS_AS(message_checker{check}(sent[0]), std::runtime_error);
    CHECK_THROWS_AS(message_checker{check}(sent[2]), std::runtime_error);
    CHECK_THROWS_AS(message_checker{check}(bytes{sent[1]}.first(size - 64)), std::runtime_error);
}

TEST_CASE("benchmark: shares of several receivers are whole together") {
    const auto all = judge({{0, 0}, {1, 1}, {0, 2}, {1, 3}}, {{1, 0}, {0, 1}, {1, 2}, {0, 3}});
    CHECK(all.verified == 8);
}

TEST_CASE("benchmark: a message that several receivers lost or repeated fails it") {
    const got first{{0, 0}, {1, 1}, {0, 2}, {1, 3}};
    CHECK_THROWS_AS(judge(first, {{1, 0}, {0, 1}, {1, 2}}), std::runtime_error);
    CHECK_THROWS_AS(judge(first, {{1, 0}, {0, 1}, {1, 2}, {0, 2}}), std::runtime_error);
    CHECK_THROWS_AS(judge(first, {{0, 1}, {1, 0}, {1, 2}, {0, 3}, {0, 0}}), std::runtime_error);
}

TEST_CASE("benchmark: one receiver sees each sender's messages in order") {
    share_checker check{size, 2, 0};
    messages next{size, 1};
    const auto first = copy_of(next(0));
    check(copy_of(next(1)));
    CHECK_THROWS_AS(check(first), std::runtime_error);
}

TEST_CASE("benchmark: a tally does not see the order of lines but every byte of them") {
    tally one;
    tally other;
    CHECK(one.add("first line\nsecond\n") == 18);
    CHECK(other.add("second\nfirst line\nhalf") == 18);
    CHECK(one == other);
    tally changed;
    changed.add("first line\nsecund\n");
    CHECK_FALSE(one == changed);
}

TEST_CASE("benchmark: medians and quantiles of few values") {
    CHECK(spread_of({3, 1, 2}).median == 2);
    CHECK(spread_of({4, 1, 2, 3}).median == doctest::Approx(2.5));
    CHECK(spread_of({}).count == 0);
    std::vector<int> values{5, 1, 4, 2, 3};
    CHECK(quantile(values, 1.0) == 5);
    CHECK(quantile(values, 0.5) == 3);
}
