// What a ring looks like from outside.
#include <unistd.h>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("status: of a new ring is empty") {
    const a_ring sut;
    const auto status = sut.ring.status();
    CHECK(status.name == sut.name.str());
    CHECK(status.path == sut.name.path());
    CHECK(status.capacity == 4096);
    CHECK(status.used_bytes == 0);
    CHECK(status.messages == 0);
    CHECK(status.bytes == 0);
    CHECK(status.producers == 0);
    CHECK(status.consumers == 0);
    CHECK_FALSE(status.ended);
    CHECK_FALSE(status.truncated);
    CHECK(status.groups.empty());
    CHECK(status.members.empty());
}

TEST_CASE("status: counts what was sent and what lies in the ring") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    send_all(out, {"1", pattern(100), ""});
    auto status = sut.ring.status();
    CHECK(status.messages == 3);
    CHECK(status.bytes == 32 + 128 + 16);
    CHECK(status.used_bytes == status.bytes);
    REQUIRE(take(in, 3).size() == 3);
    REQUIRE(in.try_receive().status() == receive_status::timed_out);
    status = sut.ring.status();
    CHECK(status.messages == 3);
    CHECK(status.bytes == 176);
    CHECK(status.used_bytes == 0);
}

TEST_CASE("status: names each member with its role and pid and group") {
    const a_ring sut;
    producer_options as_producer;
    as_producer.name = "the source";
    const producer out{sut.ring, as_producer};
    consumer_options as_consumer;
    as_consumer.name = "the sink";
    as_consumer.group = "archive";
    const consumer in{sut.ring, as_consumer};

    const auto status = sut.ring.status();
    CHECK(status.producers == 1);
    CHECK(status.consumers == 1);
    REQUIRE(status.members.size() == 2);
    const auto& source = status.members[0];
    CHECK(source.role == member_role::producer);
    CHECK(source.name == "the source");
    CHECK(source.group.empty());
    CHECK(source.alive);
    CHECK(source.pid == static_cast<std::uint32_t>(::getpid()));
    const auto& sink = status.members[1];
    CHECK(sink.role == member_role::consumer);
    CHECK(sink.name == "the sink");
    CHECK(sink.group == "archive");
    CHECK(sink.alive);
    CHECK(sink.slot != source.slot);
    REQUIRE(status.groups.size() == 1);
    CHECK(status.groups[0].name == "archive");
    CHECK(status.groups[0].kind == group_kind::durable);
    CHECK(status.groups[0].members == 1);
}

TEST_CASE("status: a member that left is gone and one that died is shown as dead") {
    const a_ring sut;
    { const producer left{sut.ring}; }
    CHECK(sut.ring.status().members.empty());
    (void)segment_view{sut.name.path()}.bury_member(3, layout::role::producer);
    const auto status = sut.ring.status();
    CHECK(status.producers == 0);
    REQUIRE(status.members.size() == 1);
    CHECK(status.members[0].slot == 3);
    CHECK_FALSE(status.members[0].alive);
}

TEST_CASE("status: lag is what waits for a group and what it has not acknowledged") {
    const a_ring sut;
    sut.ring.add_group("slow");
    producer out{sut.ring};
    send_all(out, {"1", "2", "3", "4"});
    auto group = sut.ring.status().groups.at(0);
    CHECK(group.lag_messages == 4);
    CHECK(group.lag_bytes == 128);

    consumer_options options;
    options.group = "slow";
    options.prefetch = 1;
    consumer in{sut.ring, options};
    const auto first = in.receive_for(patience);
    group = sut.ring.status().groups.at(0);
    CHECK(group.lag_messages == 3);
    CHECK(group.lag_bytes == 128);
    CHECK(sut.ring.status().members.at(1).leased_bytes == 32);
    in.acknowledge(first);
    CHECK(sut.ring.status().members.at(1).leased_bytes == 0);
    CHECK(sut.ring.status().groups.at(0).lag_bytes == 96);
}

TEST_CASE("status: what a consumer that left had claimed and not seen waits again") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"1", "2", "3", "4", "5", "6", "7", "8"});
    {
        consumer in{sut.ring};
        REQUIRE(take(in, 2).size() == 2);  // claims more than it takes by now
    }
    CHECK(sut.ring.status().groups.at(0).lag_messages == 6);
}

TEST_CASE("status: of a table full of nonsense is an answer or an error and ends") {
    const a_ring sut;
    sut.ring.add_group("g");
    const segment_view view{sut.name.path()};
    for (std::uint32_t slot = 0; slot < view.members(); ++slot) {
        auto& member = view.member(slot);
        for (auto& c : member.name) { c = '\xff'; }
        member.group = 0xffffffffU;
        member.generation = ~std::uint64_t{0};
        member.what = static_cast<layout::role>(7 + slot % 2 * 0x7fffffffU);
        member.lease.begin = ~std::uint64_t{0};
        member.lease.end = 16;
        member.lease.group = 0xfffffffeU;
    }
    for (auto& c : view.group(0).name) { c = 'x'; }
    view.group(0).claim = ~std::uint64_t{0} - 15;
    view.group(0).released = std::uint64_t{1} << 63U;
    view.group(1).state = static_cast<layout::group_state>(99);
    const stopwatch watch;
    const auto failed = error_of([&] {
        const auto status = sut.ring.status();
        for (const auto& member : status.members) {
            CHECK(member.name.size() <= layout::name_size);
        }
        for (const auto& group : status.groups) { CHECK(group.name.size() <= layout::name_size); }
    });
    if (failed) { CHECK(failed == errc::corrupt); }
    CHECK(watch.elapsed() < soon);
}
