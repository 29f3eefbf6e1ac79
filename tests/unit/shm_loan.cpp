// Messages that are built in place.
#include <cstring>

#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

void write(loan& into, std::string_view text) {
    REQUIRE(into);
    REQUIRE(into.payload().size() >= text.size());
    std::memcpy(into.payload().data(), text.data(), text.size());
}

}  // namespace

TEST_CASE("loan: what was written in place arrives at its commit") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    auto sut_loan = out.lend(5);
    CHECK(sut_loan.payload().size() == 5);
    write(sut_loan, "hello");
    CHECK(in.try_receive().status() == receive_status::timed_out);
    sut_loan.commit();
    CHECK_FALSE(sut_loan);
    CHECK(take_texts(in, 1) == texts{"hello"});
}

TEST_CASE("loan: a commit may be shorter than what was lent down to nothing") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    for (std::size_t used = 0; used <= 200; ++used) {
        CAPTURE(used);
        const auto text = pattern(used, used);
        auto lent = out.lend(200);
        write(lent, text);
        lent.commit(used);
        send_all(out, {"behind"});
        REQUIRE(take_texts(in, 2) == texts{text, "behind"});
    }
}

TEST_CASE("loan: more than was lent cannot be committed and the loan stays open") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    auto lent = out.lend(4);
    write(lent, "four");
    CHECK(error_of([&] { lent.commit(5); }) == errc::invalid_argument);
    lent.commit();
    CHECK(take_texts(in, 1) == texts{"four"});
}

TEST_CASE("loan: nothing at all and the largest message can be lent") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    auto nothing = out.lend(0);
    REQUIRE(nothing);
    nothing.commit();
    CHECK(take_texts(in, 1) == texts{""});
    const auto largest = pattern(sut.ring.max_message_size());
    auto lent = out.lend_for(largest.size(), patience);
    write(lent, largest);
    lent.commit();
    CHECK(take_texts(in, 1) == texts{largest});
}

TEST_CASE("loan: the groups stop in front of an open one and go on when it is settled") {
    const a_ring sut;
    producer lender{sut.ring};
    producer other{sut.ring};
    consumer in{sut.ring};
    send_all(lender, {"before"});
    auto lent = lender.lend(4);
    send_all(other, {"behind"});
    CHECK(take_texts(in, 1) == texts{"before"});
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
    SUBCASE("committed") {
        write(lent, "open");
        lent.commit();
        CHECK(take_texts(in, 2) == texts{"open", "behind"});
    }
    SUBCASE("discarded") {
        lent.discard();
        CHECK(take_texts(in, 1) == texts{"behind"});
    }
    SUBCASE("gone out of scope") {
        { const auto dropped = std::move(lent); }
        CHECK(take_texts(in, 1) == texts{"behind"});
    }
}

TEST_CASE("loan: a discarded one is skipped but has had a number") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    send_all(out, {"a"});
    out.lend(100).discard();
    send_all(out, {"b"});
    CHECK(take(in, 2) == std::vector<delivery>{{"a", 1, 0}, {"b", 1, 2}});
}

TEST_CASE("loan: discarded ones give their room back") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    for (int i = 0; i < 200; ++i) {
        CAPTURE(i);
        auto lent = out.lend_for(1000, patience);
        REQUIRE(lent);
        lent.discard();
        REQUIRE(in.try_receive().status() == receive_status::timed_out);
    }
    send_all(out, {"after all"});
    CHECK(take_texts(in, 1) == texts{"after all"});
}

TEST_CASE("loan: several of one producer are delivered in the order in which they were lent") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    auto first = out.lend(1);
    auto second = out.try_lend(1);
    write(first, "1");
    write(second, "2");
    second.commit();
    CHECK(in.try_receive().status() == receive_status::timed_out);
    first.commit();
    CHECK(take_texts(in, 2) == texts{"1", "2"});
}

TEST_CASE("loan: a send that would wait for one's own open loan is refused at once") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    auto lent = out.lend(3000);
    const stopwatch watch;
    const auto more = pattern(2000);
    CHECK(error_of([&] { out.send(bytes(more)); }) == errc::loan_outstanding);
    CHECK(error_of([&] { (void)out.lend(2000); }) == errc::loan_outstanding);
    CHECK(watch.elapsed() < soon);
    CHECK_FALSE(out.try_send(bytes(more)));
    CHECK_FALSE(out.try_lend(2000));
    lent.commit(1);
    REQUIRE(take(in, 1).size() == 1);
    // What was lent and not used is released by the next look at the ring.
    CHECK(in.try_receive().status() == receive_status::timed_out);
    CHECK(out.send_for(bytes(more), patience));
}

TEST_CASE("loan: one that finds no room until its deadline is empty") {
    const a_ring sut;
    producer out{sut.ring};
    fill(out, pattern(1000));
    CHECK_FALSE(out.try_lend(1000));
    CHECK_FALSE(out.lend_for(1000, a_moment));
    CHECK(out.try_lend(1000).payload().empty());
}

TEST_CASE("loan: settling twice or an empty one is harmless") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    loan empty;
    empty.discard();
    auto lent = out.lend(1);
    write(lent, "x");
    lent.commit();
    lent.discard();
    CHECK(take_texts(in, 1) == texts{"x"});
    CHECK(in.try_receive().status() == receive_status::timed_out);
}

TEST_CASE("loan: one that is open when its producer abandons the stream is discarded") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    send_all(out, {"sent"});
    auto lent = out.lend(10);
    out.abandon();
    CHECK(take_texts(in, 1) == texts{"sent"});
    CHECK(status_after_last(in) == receive_status::truncated);
    CHECK(error_of([&] { lent.commit(); }).has_value());
    CHECK(in.try_receive().status() == receive_status::truncated);
}

TEST_CASE("loan: its sender is told when others took it for dead and discarded it") {
    const a_ring sut;
    producer out{sut.ring};
    auto lent = out.lend(10);
    const segment_view view{sut.name.path()};
    auto& word = view.header(0).word;
    REQUIRE(layout::word::state_of(word) == layout::word::busy);
    word = layout::word::with_state(word, layout::word::discarded);
    CHECK(error_of([&] { lent.commit(); }) == errc::presence_lost);
    consumer in{sut.ring};
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
}
