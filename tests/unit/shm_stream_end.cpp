// How a stream ends: complete, or truncated and marked so.
#include <stdexcept>
#include <thread>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

TEST_CASE("end: a ring that no producer has been in does not end") {
    const a_ring sut;
    consumer in{sut.ring};
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
    CHECK_FALSE(sut.ring.status().ended);
}

TEST_CASE("end: comes when the last producer has left and all is acknowledged and stays") {
    const a_ring sut;
    consumer in{sut.ring};
    producer first{sut.ring};
    producer last{sut.ring};
    send_all(first, {"1"});
    first.close();
    CHECK(take_texts(in, 1) == texts{"1"});
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
    send_all(last, {"2"});
    last.close();
    CHECK(take_texts(in, 1) == texts{"2"});
    CHECK(status_after_last(in) == receive_status::end);
    CHECK(in.try_receive().status() == receive_status::end);
    CHECK_FALSE(in.truncated());
    CHECK(sut.ring.status().ended);
}

TEST_CASE("end: a producer that sent nothing ends the stream too") {
    const a_ring sut;
    consumer in{sut.ring};
    { const producer out{sut.ring}; }
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("end: is not reported while another member may have to be replaced") {
    const a_ring sut;
    producer out{sut.ring};
    consumer_options one_each;
    one_each.prefetch = 1;
    consumer busy{sut.ring, one_each};
    consumer idle{sut.ring, one_each};
    send_all(out, {"1"});
    const auto message = busy.receive_for(patience);
    REQUIRE(message);
    out.close();
    CHECK(idle.receive_for(a_moment).status() == receive_status::timed_out);
    busy.acknowledge(message);
    CHECK(status_after_last(idle) == receive_status::end);
    CHECK(status_after_last(busy) == receive_status::end);
}

TEST_CASE(
    "end: a consumer waiting for it is not kept by one that leaves with a lease but gets it") {
    const a_ring sut;
    producer out{sut.ring};
    consumer stays{sut.ring};
    {
        consumer leaves{sut.ring};
        send_all(out, {"1"});
        REQUIRE(leaves.receive_for(patience));
        out.close();
    }
    CHECK(take_texts(stays, 1) == texts{"1"});
    CHECK(status_after_last(stays) == receive_status::end);
}

TEST_CASE("end: every group is told and one that comes late reads all before it") {
    const a_ring sut;
    sut.ring.add_group("a");
    sut.ring.add_group("b");
    {
        producer out{sut.ring};
        send_all(out, {"1", "2"});
    }
    for (const auto* name : {"a", "b"}) {
        consumer_options options;
        options.group = name;
        consumer in{sut.ring, options};
        CHECK(take_texts(in, 2) == texts{"1", "2"});
        CHECK(status_after_last(in) == receive_status::end);
    }
}

TEST_CASE("end: a new producer opens the stream again") {
    const a_ring sut;
    consumer in{sut.ring};
    {
        producer out{sut.ring};
        send_all(out, {"1"});
    }
    CHECK(take_texts(in, 1) == texts{"1"});
    REQUIRE(status_after_last(in) == receive_status::end);
    producer again{sut.ring};
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
    CHECK_FALSE(sut.ring.status().ended);
    send_all(again, {"2"});
    CHECK(take_texts(in, 1) == texts{"2"});
    again.close();
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("truncated: a producer that abandons the stream leaves the mark for every group") {
    const a_ring sut;
    sut.ring.add_group("a");
    sut.ring.add_group("b");
    producer out{sut.ring};
    send_all(out, {"1"});
    out.abandon();
    CHECK(sut.ring.status().truncated);
    for (const auto* name : {"a", "b"}) {
        consumer_options options;
        options.group = name;
        consumer in{sut.ring, options};
        CHECK(take_texts(in, 1) == texts{"1"});
        CHECK(status_after_last(in) == receive_status::truncated);
        CHECK(in.try_receive().status() == receive_status::truncated);
        CHECK(in.truncated());
    }
}

TEST_CASE("truncated: a producer that an exception unwinds has not finished") {
    const a_ring sut;
    consumer in{sut.ring};
    try {
        producer out{sut.ring};
        send_all(out, {"1"});
        throw std::runtime_error{"the source broke"};
    } catch (const std::runtime_error&) {}
    CHECK(take_texts(in, 1) == texts{"1"});
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE(
    "truncated: a producer made and gone while an exception unwinds something else has finished") {
    const a_ring sut;
    struct says_goodbye {
        const ring& to;
        ~says_goodbye() {
            producer out{to};
            (void)out.try_send(bytes("goodbye"));
        }
    };
    try {
        const says_goodbye at_the_end{sut.ring};
        throw std::runtime_error{"elsewhere"};
    } catch (const std::runtime_error&) {}
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == texts{"goodbye"});
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("truncated: is not reported while another producer goes on but is at its end") {
    const a_ring sut;
    consumer in{sut.ring};
    producer fails{sut.ring};
    producer works{sut.ring};
    fails.abandon();
    send_all(works, {"1"});
    CHECK(take_texts(in, 1) == texts{"1"});
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
    CHECK(in.truncated());
    works.close();
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("truncated: stays through a new producer's clean end until it is taken back knowingly") {
    const a_ring sut;
    consumer in{sut.ring};
    producer{sut.ring}.abandon();
    REQUIRE(status_after_last(in) == receive_status::truncated);
    { const producer again{sut.ring}; }
    CHECK(status_after_last(in) == receive_status::truncated);
    sut.ring.clear_truncated();
    CHECK(status_after_last(in) == receive_status::end);
    CHECK_FALSE(in.truncated());
    CHECK_FALSE(sut.ring.status().truncated);
}

TEST_CASE("truncated: the mark of a producer that died is set by whoever notices first") {
    const a_ring sut;
    consumer in{sut.ring};
    const segment_view view{sut.name.path()};
    (void)view.bury_member(5, layout::role::producer);
    SUBCASE("the consumer") {}
    SUBCASE("a producer that takes the slot") {
        std::vector<producer> all;
        for (int i = 0; i < 7; ++i) { all.emplace_back(sut.ring); }
        CHECK(sut.ring.status().truncated);
    }
    CHECK(status_after_last(in) == receive_status::truncated);
}
