// Groups: independent readings of one stream.
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

consumer_options of_group(const std::string& name) {
    consumer_options options;
    options.group = name;
    return options;
}

consumer_options ephemeral(const std::string& name) {
    auto options = of_group(name);
    options.kind = group_kind::ephemeral;
    return options;
}

}  // namespace

TEST_CASE("group: each sees every message") {
    const a_ring sut;
    consumer a{sut.ring, of_group("a")};
    consumer b{sut.ring, of_group("b")};
    producer out{sut.ring};
    send_all(out, {"1", "2"});
    CHECK(take_texts(a, 2) == texts{"1", "2"});
    CHECK(take_texts(b, 2) == texts{"1", "2"});
}

TEST_CASE("group: the first one misses nothing that was sent before it was there") {
    const a_ring sut;
    {
        producer out{sut.ring};
        send_all(out, {"1", "2"});
    }
    consumer in{sut.ring};
    CHECK(take(in, 2) == std::vector<delivery>{{"1", 1, 0}, {"2", 1, 1}});
}

TEST_CASE("group: a new one from latest begins with the next message") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"before"});
    auto options = of_group("late");
    options.from = start_at::latest;
    consumer in{sut.ring, options};
    CHECK(in.try_receive().status() == receive_status::timed_out);
    send_all(out, {"after"});
    CHECK(take(in, 1) == std::vector<delivery>{{"after", 1, 1}});
}

TEST_CASE("group: from is for a new one and does not move an old one") {
    const a_ring sut;
    sut.ring.add_group("g");
    producer out{sut.ring};
    send_all(out, {"kept"});
    sut.ring.add_group("g", start_at::latest);
    auto options = of_group("g");
    options.from = start_at::latest;
    consumer in{sut.ring, options};
    CHECK(take_texts(in, 1) == texts{"kept"});
    CHECK(sut.ring.status().groups.size() == 1);
}

TEST_CASE("group: a second one from earliest sees what is still there and in order") {
    const a_ring sut;
    producer out{sut.ring};
    consumer first{sut.ring, of_group("first")};
    send_all(out, {"1", "2", "3"});
    CHECK(first.try_receive().text() == "1");  // and nothing acknowledged
    consumer second{sut.ring, of_group("second")};
    CHECK(take_texts(second, 3) == texts{"1", "2", "3"});
}

TEST_CASE("group: a durable one keeps its place and holds producers back while nobody is in it") {
    const a_ring sut;
    producer out{sut.ring};
    {
        consumer in{sut.ring};
        send_all(out, {"1", "2"});
        REQUIRE(take(in, 1).size() == 1);
    }
    const auto more = fill(out, pattern(500));
    CHECK(more < 9);
    consumer again{sut.ring};
    CHECK(take_texts(again, 1) == texts{"2"});
    CHECK(take(again, more).size() == more);
}

TEST_CASE("group: an ephemeral one is gone with its last member") {
    const a_ring sut;
    sut.ring.add_group("durable");
    {
        consumer one{sut.ring, ephemeral("passing")};
        {
            const consumer other{sut.ring, ephemeral("passing")};
            CHECK(sut.ring.status().groups.size() == 2);
        }
        CHECK(sut.ring.status().groups.size() == 2);
    }
    const auto groups = sut.ring.status().groups;
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].name == "durable");
}

TEST_CASE("group: an ephemeral one that is gone holds nobody back") {
    const a_ring sut;
    producer out{sut.ring};
    consumer stays{sut.ring, of_group("stays")};
    {
        consumer passing{sut.ring, ephemeral("passing")};
        send_all(out, {"1"});
        REQUIRE(passing.receive_for(patience));
    }
    for (int i = 0; i < 20; ++i) {
        REQUIRE(out.send_for(bytes(pattern(500)), patience));
        REQUIRE(take(stays, 1).size() == 1);
    }
}

TEST_CASE("group: a slower one holds the producers back and misses nothing") {
    const a_ring sut;
    producer out{sut.ring};
    consumer quick{sut.ring, of_group("quick")};
    consumer slow{sut.ring, of_group("slow")};
    const auto sent = fill(out, pattern(500));
    REQUIRE(take(quick, sent).size() == sent);
    CHECK_FALSE(out.try_send(bytes(pattern(500))));
    REQUIRE(take(slow, 1).size() == 1);
    CHECK(out.try_send(bytes(pattern(500))));
    CHECK(take(slow, sent).size() == sent);
}

TEST_CASE("group: removing one lets the producers go on") {
    const a_ring sut;
    sut.ring.add_group("forgotten");
    consumer in{sut.ring, of_group("read")};
    producer out{sut.ring};
    const auto sent = fill(out, pattern(500));
    REQUIRE(take(in, sent).size() == sent);
    CHECK_FALSE(out.try_send(bytes(pattern(500))));
    sut.ring.remove_group("forgotten");
    CHECK(out.try_send(bytes(pattern(500))));
}

TEST_CASE("group: one that is not there or has a living member cannot be removed") {
    const a_ring sut;
    CHECK(error_of([&] { sut.ring.remove_group("nobody"); }) == errc::group_not_found);
    CHECK(error_of([&] { sut.ring.remove_group(""); }).has_value());
    {
        const consumer in{sut.ring, of_group("used")};
        CHECK(error_of([&] { sut.ring.remove_group("used"); }) == errc::group_in_use);
    }
    sut.ring.remove_group("used");
    CHECK(sut.ring.status().groups.empty());
}

TEST_CASE("group: what is removed and made anew has no memory of the old one") {
    const a_ring sut;
    sut.ring.add_group("other");
    producer out{sut.ring};
    {
        consumer in{sut.ring, of_group("g")};
        send_all(out, {"1", "2", "3"});
        REQUIRE(in.receive_for(patience));  // leaves a lease behind
    }
    sut.ring.remove_group("g");
    sut.ring.add_group("g", start_at::latest);
    consumer in{sut.ring, of_group("g")};
    CHECK(in.receive_for(a_moment).status() == receive_status::timed_out);
    send_all(out, {"4"});
    CHECK(take(in, 1) == std::vector<delivery>{{"4", 1, 3}});
}

TEST_CASE("group: names that cannot be are refused") {
    const a_ring sut;
    for (const auto& name : {std::string{}, std::string(64, 'g'), std::string(300, 'g'),
                             std::string{"a\nb"}, std::string{"a/b"}}) {
        CAPTURE(name.substr(0, 40));
        CHECK(error_of([&] { sut.ring.add_group(name); }) == errc::invalid_name);
    }
    sut.ring.add_group(std::string(63, 'g'));
    REQUIRE(sut.ring.status().groups.size() == 1);
    CHECK(sut.ring.status().groups[0].name == std::string(63, 'g'));
}

TEST_CASE("group: a full table is an error and a removed one makes room") {
    const a_ring sut;  // four slots
    for (const auto* name : {"a", "b", "c", "d"}) { sut.ring.add_group(name); }
    CHECK(error_of([&] { sut.ring.add_group("e"); }) == errc::groups_full);
    CHECK(error_of([&] { consumer(sut.ring, of_group("e")); }) == errc::groups_full);
    CHECK(sut.ring.status().members.empty());
    sut.ring.add_group("a");  // already there
    sut.ring.remove_group("b");
    sut.ring.add_group("e");
    CHECK(sut.ring.status().groups.size() == 4);
}

TEST_CASE("group: a slot whose last group died with its lock taken can be used again") {
    const a_ring sut;
    sut.ring.add_group("old");
    {
        const segment_view view{sut.name.path()};
        view.group(0).lock = layout::make_member_id(7, 3);
    }
    sut.ring.remove_group("old");
    sut.ring.add_group("new");
    producer out{sut.ring};
    consumer in{sut.ring, of_group("new")};
    send_all(out, {"through"});
    CHECK(take_texts(in, 1) == texts{"through"});
}
