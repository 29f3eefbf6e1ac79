// A process that forks without exec, and one that dies while it makes a ring.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>

#include "common/unique_fd.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

using texts = std::vector<std::string>;

namespace {

bool throws_forked(const std::function<void()>& action) {
    try {
        action();
    } catch (const error& e) { return e.which() == errc::forked; }
    return false;
}

}  // namespace

TEST_CASE("fork: a child cannot use its parent's endpoints and does them no harm") {
    const a_ring sut;
    auto out = std::make_unique<producer>(sut.ring);
    auto in = std::make_unique<consumer>(sut.ring);
    send_all(*out, {"1", "2"});
    REQUIRE(in->receive_for(patience).text() == "1");
    child forked{[&](const in_child&) {
        if (!throws_forked([&] { (void)out->try_send(bytes("x")); })) { return 1; }
        if (!throws_forked([&] { (void)out->lend_for(1, 1ms); })) { return 2; }
        const std::span<const std::byte> batch[] = {bytes("x")};
        if (!throws_forked([&] { (void)out->try_send_batch(batch); })) { return 3; }
        in->acknowledge();
        if (!throws_forked([&] {
                while (in->try_receive()) {}
            })) {
            return 4;
        }
        out.reset();
        in.reset();
        return 0;
    }};
    CHECK(forked.wait() == 0);
    CHECK(sut.ring.status().producers == 1);
    CHECK(sut.ring.status().consumers == 1);
    CHECK_FALSE(sut.ring.status().truncated);
    send_all(*out, {"3"});
    in->acknowledge();
    CHECK(take_texts(*in, 2) == texts{"2", "3"});
    out.reset();
    CHECK(status_after_last(*in) == receive_status::end);
}

TEST_CASE("fork: a child can attach by itself through the handle it inherited") {
    const a_ring sut;
    const producer parents{sut.ring};
    child forked{[&](const in_child&) {
        producer own{sut.ring};
        own.send(bytes("from the child"));
        return 0;
    }};
    CHECK(forked.wait() == 0);
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == texts{"from the child"});
}

TEST_CASE("fork: an open loan stays the parent's") {
    const a_ring sut;
    producer out{sut.ring};
    auto lent = out.lend(1);
    lent.payload()[0] = std::byte{'x'};
    child forked{[&](const in_child&) {
        const auto copy = std::move(lent);  // and discards itself
        return 0;
    }};
    CHECK(forked.wait() == 0);
    lent.commit();
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == texts{"x"});
}

TEST_CASE("fork: a dead parent is dead also while its child lives") {
    const a_ring sut;
    int until_test_ends[2];
    REQUIRE(::pipe2(until_test_ends, O_CLOEXEC) == 0);
    const unique_fd grandchild_waits{until_test_ends[0]};
    unique_fd test_lives{until_test_ends[1]};
    child parent{[&](const in_child& self) -> int {
        ::close(test_lives.release());
        producer out{ring::open(sut.name)};
        out.send(bytes("sent"));
        new loan{out.lend(10)};
        if (::fork() == 0) {
            self.tell();
            char nothing = 0;
            (void)!::read(grandchild_waits.get(), &nothing, 1);
            ::_exit(0);
        }
        for (;;) { ::pause(); }
    }};
    REQUIRE(parent.await());
    parent.kill();
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == texts{"sent"});
    const stopwatch watch;
    CHECK(status_after_last(in) == receive_status::truncated);
    CHECK(watch.elapsed() < soon);
    test_lives.reset();  // lets the grandchild go
}

TEST_CASE("creation: a ring whose creator died is made by the next who wants it") {
    const unique_name name;
    const auto leave_behind = [&](std::string_view content) {
        std::ofstream{name.path(), std::ios::binary}.write(
            content.data(), static_cast<std::streamsize>(content.size()));
    };
    const std::string mark{reinterpret_cast<const char*>(&layout::magic_creating), 8};
    SUBCASE("before its first byte") { leave_behind(""); }
    SUBCASE("behind its mark") { leave_behind(mark); }
    SUBCASE("behind its space") { leave_behind(mark + std::string(20000, '\0')); }
    SUBCASE("before its last byte with half of the header") { leave_behind(mark + pattern(20000)); }
    const auto sut = ring::open_or_create(name, small());
    producer out{sut};
    consumer in{ring::open(name)};
    send_all(out, {"works"});
    CHECK(take_texts(in, 1) == texts{"works"});
}

TEST_CASE("creation: create too takes over what a dead creator left") {
    const unique_name name;
    std::ofstream{name.path()}.write(reinterpret_cast<const char*>(&layout::magic_creating), 8);
    CHECK_FALSE(error_of([&] { (void)ring::create(name, small()); }));
    CHECK_FALSE(error_of([&] { (void)ring::open(name); }));
}

TEST_CASE("creation: what a dead creator left can be removed") {
    const unique_name name;
    std::ofstream{name.path()}.write(reinterpret_cast<const char*>(&layout::magic_creating), 8);
    CHECK(ring::remove(name));
    CHECK_FALSE(name.exists());
}

TEST_CASE("creation: killed at random moments there is afterwards a ring or a place for one") {
    for (int round = 0; round < 40; ++round) {
        CAPTURE(round);
        const unique_name name;
        child creator{[&](const in_child& self) {
            self.tell();
            for (;;) {
                (void)ring::create(name, small());
                (void)ring::remove(name);
            }
            return 0;
        }};
        REQUIRE(creator.await());
        ::usleep(static_cast<useconds_t>(round * 37));
        creator.kill();
        const stopwatch watch;
        const auto sut = ring::open_or_create(name, small());
        producer out{sut};
        CHECK(out.try_send(bytes("works")));
        CHECK(watch.elapsed() < soon);
    }
}

TEST_CASE("file: one that is left with dead members is whole again for who opens it next") {
    const unique_name name{"/tmp"};
    (void)ring::create(name, small());
    {
        child killed{[&](const in_child& self) -> int {
            const auto ring = ring::open(name);
            producer out{ring};
            consumer in{ring};
            for (const auto* text : {"1", "2", "3"}) { out.send(bytes(text)); }
            if (!in.receive_for(patience)) { return 1; }
            const segment_view view{name.path()};
            view.append().lock = view.member_in(0);
            view.group(0).lock = view.member_in(1);
            self.tell_and_stay();
        }};
        REQUIRE(killed.await());
    }
    consumer in{ring::open(name)};
    auto got = take_texts(in, 3);
    std::ranges::sort(got);
    CHECK(got == texts{"1", "2", "3"});
    CHECK(status_after_last(in) == receive_status::truncated);
    (void)ring::remove(name);
}
