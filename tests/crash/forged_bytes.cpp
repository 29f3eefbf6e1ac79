// Bytes that no member ever writes: an error or normal work, soon, and never a crash.
#include <algorithm>
#include <functional>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;
namespace word = ringpipe::layout::word;

namespace {

struct a_working_ring : a_ring {
    producer out{ring};
    consumer in{ring};
    segment_view view{name.path()};
};

// Everything that a member does, each with a deadline; what comes of it is an error of ours or
// works.
void use_everything(a_working_ring& sut) {
    const stopwatch watch;
    const auto attempt = [](const std::function<void()>& action) {
        const auto failed = error_of(action);
        if (failed) {
            CHECK((failed == errc::corrupt || failed == errc::presence_lost ||
                   failed == errc::closed || failed == errc::unacknowledged ||
                   failed == errc::groups_full || failed == errc::members_full ||
                   failed == errc::message_too_large));
        }
    };
    for (int i = 0; i < 3; ++i) {
        attempt([&] {
            if (const auto message = sut.in.receive_for(5ms)) {
                unsigned sum = 0;
                for (const auto byte : message.payload()) { sum += static_cast<unsigned>(byte); }
                CHECK(sum < ~0U);
                sut.in.acknowledge(message);
            }
        });
        attempt([&] { (void)sut.out.send_for(bytes("x"), 5ms); });
        attempt([&] { (void)sut.out.lend_for(100, 5ms); });
    }
    attempt([&] { (void)sut.ring.status(); });
    attempt([&] {
        consumer another{sut.ring};
        (void)another.receive_for(5ms);
    });
    attempt([&] { (void)producer{sut.ring}.send_for(bytes("y"), 5ms); });
    attempt([&] { sut.ring.add_group("more"); });
    CHECK(watch.elapsed() < soon);
}

}  // namespace

TEST_CASE("hostile: a message header with an impossible size is an error") {
    a_working_ring sut;
    send_all(sut.out, {"a", "b"});
    SUBCASE("larger than the ring") {
        sut.view.header(0).word = word::make(word::committed, 1U << 20U, 1);
    }
    SUBCASE("the largest there is") {
        sut.view.header(0).word = word::make(word::committed, word::max_size, 1);
    }
    SUBCASE("all bits") { sut.view.header(0).word = ~std::uint64_t{0}; }
    CHECK(error_of([&] { (void)sut.in.receive_for(soon); }) == errc::corrupt);
    use_everything(sut);
}

TEST_CASE("hostile: a header that changes under a lease is an error and no wild read") {
    a_working_ring sut;
    send_all(sut.out, {"a", "b", "c", "d"});
    // Once it has claimed several, damage the next.
    while (!sut.in.at_hand()) {
        const auto message = sut.in.receive_for(patience);
        REQUIRE(message);
        if (sut.in.at_hand()) { break; }
        sut.in.acknowledge();
    }
    const auto next = sut.view.member(1).lease.end - 32;
    sut.view.header(next).word = word::make(word::committed, 4000, 1);
    std::optional<errc> failed;
    for (int i = 0; i < 4 && !failed; ++i) {
        failed = error_of([&] { (void)sut.in.try_receive(); });
    }
    CHECK(failed == errc::corrupt);
}

TEST_CASE("hostile: a chain of messages as long as the ring ends") {
    a_working_ring sut;
    for (layout::position at = 0; at < 4096; at += 16) {
        sut.view.header(at).word = word::make(word::discarded, 0, 1);
    }
    use_everything(sut);
}

TEST_CASE("hostile: a tail lock of a member that cannot be and a chain that does not end") {
    a_working_ring sut;
    for (layout::position at = 0; at < 4096; at += 16) {
        sut.view.header(at).word = word::make(word::committed, 0, 1);
    }
    sut.view.append().lock = 0xfffU;
    use_everything(sut);
}

TEST_CASE("hostile: positions that cannot be") {
    for (const auto wild : {std::uint64_t{1}, std::uint64_t{4095}, std::uint64_t{1} << 40U,
                            std::uint64_t{1} << 63U, ~std::uint64_t{0}, ~std::uint64_t{0} - 15}) {
        CAPTURE(wild);
        for (int which = 0; which < 9; ++which) {
            CAPTURE(which);
            a_working_ring sut;
            send_all(sut.out, {"a", "b"});
            switch (which) {
                case 0: sut.view.append().tail = wild; break;
                case 1: sut.view.append().limit = wild; break;
                case 2: sut.view.append().frontier = wild; break;
                case 3: sut.view.append().room_end = wild; break;
                case 4: sut.view.group(0).claim = wild; break;
                case 5: sut.view.group(0).released = wild; break;
                case 6: sut.view.member(1).lease.begin = wild; break;
                case 7: sut.view.member(1).lease.end = wild; break;
                default: sut.view.room().wanted = wild;
            }
            use_everything(sut);
        }
    }
}

TEST_CASE("hostile: locks and line and masks of nonsense") {
    for (const auto wild : {1U, 0xfffU, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
        CAPTURE(wild);
        a_working_ring sut;
        send_all(sut.out, {"a"});
        sut.view.append().lock = wild;
        sut.view.append().first_in_line = wild;
        sut.view.append().room_end = 0;
        sut.view.group(0).lock = wild;
        sut.view.sleepers().groups = ~std::uint64_t{0};
        sut.view.group(0).member_count = wild;
        for (auto& bits : sut.view.group(0).members) { bits = ~std::uint64_t{0}; }
        use_everything(sut);
    }
}

TEST_CASE("hostile: every header field that an opener has checked may change afterwards") {
    a_working_ring sut;
    send_all(sut.out, {"a", "b"});
    auto& control = sut.view.control();
    control.capacity = 1U << 30U;
    control.header_size = 16;
    control.members = 0xffffffffU;
    control.groups = 0xffffffffU;
    control.liveness_interval_ns = ~std::uint64_t{0};
    const auto got = take_texts(sut.in, 2);
    CHECK(got == std::vector<std::string>{"a", "b"});
    use_everything(sut);
}

TEST_CASE("hostile: a whole segment of one byte") {
    for (const auto value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        CAPTURE(value);
        a_working_ring sut;
        send_all(sut.out, {"a", "b"});
        auto* const from = reinterpret_cast<unsigned char*>(&sut.view.append());
        auto* const to = reinterpret_cast<unsigned char*>(sut.view.payload(0)) + 4096 - 16;
        std::fill(from, to, static_cast<unsigned char>(value));
        use_everything(sut);
    }
}

TEST_CASE("hostile: a segment of noise") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        a_working_ring sut;
        send_all(sut.out, {"a", "b"});
        auto* const from = reinterpret_cast<char*>(&sut.view.append());
        auto* const to = reinterpret_cast<char*>(sut.view.payload(0)) + 4096 - 16;
        const auto noise = pattern(static_cast<std::size_t>(to - from), seed);
        if (seed % 2 == 0) {
            std::ranges::copy(noise, from);
        } else {
            // Here and there only: much is still plausible.
            for (std::size_t i = 0; i < noise.size(); i += 97) { from[i] = noise[i]; }
        }
        use_everything(sut);
    }
}
