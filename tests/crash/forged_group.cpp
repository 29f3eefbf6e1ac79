// Every state in which a death can leave a group and its leases, forged.
#include <algorithm>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

// Three messages of 32 bytes each, and a consumer that died in slot 6.
struct a_death_in_group : a_ring {
    producer out{ring};
    segment_view view{name.path()};
    layout::member_id dead = 0;

    a_death_in_group() {
        ring.add_group("default");
        send_all(out, {"1", "2", "3"});
        dead = view.bury_member(6, layout::role::consumer);
    }

    void claim_to(layout::position end) const {
        view.group(0).claim = end;
        view.group(0).claim_sequence = end / 32;
    }

    // What a survivor gets, in the order of the stream; and nothing beyond it.
    std::vector<delivery> deliveries(std::size_t count = 3) {
        const stopwatch watch;
        consumer in{ring};
        auto got = take(in, count);
        CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
        CHECK(watch.elapsed() < soon);
        std::ranges::sort(got, {}, &delivery::sequence);
        return got;
    }
};

const std::vector<delivery> all_first{{"1", 1, 0}, {"2", 1, 1}, {"3", 1, 2}};

}  // namespace

TEST_CASE("death in claim: with the lock held and nothing done") {
    a_death_in_group sut;
    sut.view.group(0).lock = sut.dead;
    CHECK(sut.deliveries() == all_first);
}

TEST_CASE("death in claim: between the lease and the claim position the messages are its own") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 0, 64);
    sut.view.group(0).lock = sut.dead;
    CHECK(sut.deliveries() == std::vector<delivery>{{"1", 2, 0}, {"2", 2, 1}, {"3", 1, 2}});
}

TEST_CASE("death in claim: behind the claim position and before the unlock") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 0, 64);
    sut.claim_to(64);
    sut.view.group(0).lock = sut.dead;
    CHECK(sut.deliveries() == std::vector<delivery>{{"1", 2, 0}, {"2", 2, 1}, {"3", 1, 2}});
}

TEST_CASE("death in claim: a lease half written does not count") {
    a_death_in_group sut;
    SUBCASE("end is still 0") { sut.view.bury_lease(sut.dead, 64, 0); }
    SUBCASE("begin and end are equal") { sut.view.bury_lease(sut.dead, 32, 32); }
    SUBCASE("of another generation") {
        sut.view.bury_lease(sut.dead, 0, 64);
        sut.view.member(6).lease.generation = sut.view.group(0).generation - 1;
    }
    SUBCASE("of another group") { sut.view.bury_lease(sut.dead, 0, 64, 1); }
    SUBCASE("of a group that cannot be") {
        sut.view.bury_lease(sut.dead, 0, 64);
        sut.view.member(6).lease.group = 99;
    }
    sut.view.group(0).lock = sut.dead;
    CHECK(sut.deliveries() == all_first);
}

TEST_CASE("death in acknowledge: what begin had passed is done") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 0, 96);
    sut.claim_to(96);
    sut.view.member(6).lease.begin = 32;
    CHECK(sut.deliveries(2) == std::vector<delivery>{{"2", 2, 1}, {"3", 2, 2}});
}

TEST_CASE("death in acknowledge: a lease done to its end is nobody's any more") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 0, 64);
    sut.claim_to(64);
    sut.view.member(6).lease.begin = 64;
    CHECK(sut.deliveries(1) == std::vector<delivery>{{"3", 1, 2}});
}

TEST_CASE("death in adopt: two equal leases are one") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 0, 96);
    sut.claim_to(96);
    const auto adopter = sut.view.bury_member(7, layout::role::consumer);
    sut.view.bury_lease(adopter, 0, 96);
    sut.view.member(7).lease.attempts = 1;
    sut.view.group(0).lock = adopter;
    const auto got = sut.deliveries();
    CHECK(texts_of(got) == texts{"1", "2", "3"});
    for (const auto& each : got) { CHECK(each.attempt >= 2); }
    CHECK(got.at(0).attempt == 3);
}

TEST_CASE("death in adopt: an attempt count of another position does not hold") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 32, 96);
    sut.claim_to(96);
    sut.view.member(6).lease.attempts = 4;
    sut.view.member(6).lease.attempt_position = 0;
    sut.view.group(0).released = 32;
    CHECK(sut.deliveries(2) == std::vector<delivery>{{"2", 2, 1}, {"3", 2, 2}});
}

TEST_CASE("death in leave: a lease handed back is a first delivery still") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 0, 64);
    sut.claim_to(64);
    sut.view.member(6).lease.returned = 1;
    sut.view.member(6).lease.owner = 0;
    CHECK(sut.deliveries() == all_first);
}

TEST_CASE(
    "death in leave: between the claim position and the lease's end the claim goes forward again") {
    a_death_in_group sut;
    sut.view.bury_lease(sut.dead, 0, 96);
    sut.claim_to(32);
    sut.view.group(0).lock = sut.dead;
    CHECK(texts_of(sut.deliveries()) == texts{"1", "2", "3"});
}

TEST_CASE("death of several: each lease is adopted and no producer overwrites it before") {
    a_death_in_group sut;
    const auto other = sut.view.bury_member(7, layout::role::consumer);
    sut.view.bury_lease(sut.dead, 0, 32);
    sut.view.bury_lease(other, 32, 96);
    sut.claim_to(96);
    fill(sut.out, pattern(500));
    consumer in{sut.ring};
    auto got = take(in, 3);
    // Newer messages may come first; the orphans come, whole.
    for (int i = 0; i < 20 && std::ranges::count(texts_of(got), "3") == 0; ++i) {
        for (auto& each : take(in, 1)) { got.push_back(each); }
    }
    for (const auto* text : {"1", "2", "3"}) {
        CHECK(std::ranges::count(texts_of(got), text) == 1);
    }
}

TEST_CASE("death in attach: a member that had no group yet is nobody's trouble") {
    a_death_in_group sut;
    auto& half = sut.view.member(7);
    half.incarnation = 1;
    half.what = layout::role::none;
    half.lease.end = 0;
    CHECK(sut.deliveries() == all_first);
}

TEST_CASE("death in join: a bitmap and a count that are wrong are put right") {
    a_death_in_group sut;
    sut.view.group(0).member_count = 1'000'000;
    for (auto& bits : sut.view.group(0).members) { bits = ~std::uint64_t{0}; }
    sut.view.group(0).lock = sut.dead;
    CHECK(sut.deliveries() == all_first);
}

TEST_CASE("death in group creation: an entry whose state was not set is free") {
    a_death_in_group sut;
    auto& half = sut.view.group(1);
    half.name[0] = 'h';
    half.claim = 4096 * 5;
    half.released = 0;
    half.lock = sut.dead;
    const stopwatch watch;
    sut.ring.add_group("next");
    CHECK(watch.elapsed() < soon);
    consumer_options options;
    options.group = "next";
    consumer in{sut.ring, options};
    CHECK(take_texts(in, 3) == texts{"1", "2", "3"});
}
