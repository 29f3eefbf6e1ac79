// Where processes do not see each other as one would think: namespaces, stopped ones, closed
// descriptors, pids that lie.
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <mutex>

#include "shm/append_lock.hpp"
#include "shm/group_lock.hpp"
#include "shm/membership.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

constexpr int skipped = 77;

// Runs `body` as process 1 of a PID namespace of its own, and dies with it.
int in_pid_namespace(const std::function<int()>& body) {
    if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
        return skipped;
    }
    const auto inner = ::fork();
    if (inner == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::_exit(::getpid() == 1 ? body() : 98);
    }
    int status = 0;
    ::waitpid(inner, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

// A consumer, as process 1 of its own namespace, that takes one message and keeps it.
int keep_one_as_process_1(const in_child& self, const std::string& name) {
    return in_pid_namespace([&]() -> int {
        consumer in{ring::open(name)};
        if (!in.receive_for(patience)) { return 1; }
        self.tell_and_stay();
    });
}

// Whoever has the lock of that kind is stopped, at once after `tell`.
template <class Lock>
void hold_and_stop(const in_child& self, Lock& lock) {
    const std::lock_guard hold{lock};
    self.tell();
    std::raise(SIGSTOP);
}

// Descriptors of the ring, as a careless program closes them: those it does not know.
void close_unknown_descriptors(const std::string& ring_path) {
    std::vector<int> unknown;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        std::error_code gone;
        if (std::filesystem::read_symlink(entry, gone) == ring_path) {
            unknown.push_back(std::stoi(entry.path().filename()));
        }
    }
    for (const auto fd : unknown) { ::close(fd); }
}

}  // namespace

TEST_CASE("boundary: of two processes 1 in two PID namespaces each is alive until it dies") {
    const a_ring sut;
    producer out{sut.ring};
    send_all(out, {"one", "two"});
    child first{[&](const in_child& self) { return keep_one_as_process_1(self, sut.name.str()); }};
    if (!first.await()) {
        REQUIRE(first.wait() == skipped);
        MESSAGE("skipped: no PID namespace to be had here");
        return;
    }
    child second{[&](const in_child& self) { return keep_one_as_process_1(self, sut.name.str()); }};
    REQUIRE(second.await());

    consumer in{sut.ring};
    // Several times as long as it takes to find the dead.
    CHECK(in.receive_for(200ms).status() == receive_status::timed_out);
    first.kill();
    const auto of_first = in.receive_for(patience);
    CHECK(of_first.text() == "one");
    CHECK(of_first.redelivered());
    in.acknowledge();
    CHECK(in.receive_for(200ms).status() == receive_status::timed_out);
    second.kill();
    CHECK(in.receive_for(patience).text() == "two");
}

TEST_CASE("boundary: the pid in the table decides nothing") {
    const a_ring sut;
    producer out{sut.ring};
    consumer in{sut.ring};
    child keeper{[&](const in_child& self) -> int {
        consumer keeps{ring::open(sut.name)};
        [[maybe_unused]] const auto kept = keeps.receive_for(patience);
        self.tell_and_stay();
    }};
    const segment_view raw{sut.name.path()};
    REQUIRE(eventually([&] { return sut.ring.status().consumers == 2; }));
    send_all(out, {"one"});
    REQUIRE(keeper.await());
    const auto slot = raw.slot_of_pid(keeper.pid());

    SUBCASE("a living member whose pid is another's, or nobody's") {
        for (const auto pid : {1, ::getpid(), 0x7ffffff0}) {
            raw.member(slot).pid.store(static_cast<std::uint32_t>(pid));
            CHECK(in.receive_for(100ms).status() == receive_status::timed_out);
        }
    }
    SUBCASE("a dead member whose pid is a living process's by now") {
        keeper.kill();
        raw.member(slot).pid.store(static_cast<std::uint32_t>(::getpid()));
        CHECK(in.receive_for(patience).text() == "one");
    }
}

TEST_CASE("boundary: who is stopped with the tail lock delays senders to their deadlines only") {
    const a_ring sut;
    consumer in{sut.ring};
    producer out{sut.ring};
    send_all(out, {"before"});
    child stopped{[&](const in_child& self) {
        const membership member{ring::open(sut.name).shared(), layout::role::tool, ""};
        append_lock tail{*member.where(), member.id()};
        hold_and_stop(self, tail);
        return 0;
    }};
    REQUIRE(stopped.await());

    CHECK(take_texts(in, 1) == std::vector<std::string>{"before"});
    CHECK_FALSE(out.try_send(bytes("now")));
    const stopwatch since;
    CHECK_FALSE(out.send_for(bytes("soon"), 50ms));
    CHECK(since.elapsed() < soon);
    CHECK_FALSE(out.lend_for(10, 50ms));
    // To attach has no deadline of its own, and ends all the same.
    CHECK(error_of([&] { const consumer another{sut.ring}; }) == errc::timed_out);
    CHECK(sut.ring.status().messages == 1);

    REQUIRE(::kill(stopped.pid(), SIGCONT) == 0);
    CHECK(out.send_for(bytes("after"), patience));
    CHECK(stopped.wait() == 0);
    CHECK(take_texts(in, 1) == std::vector<std::string>{"after"});
}

TEST_CASE("boundary: who is stopped with a group lock delays that group only") {
    const a_ring sut;
    consumer in{sut.ring};
    consumer elsewhere{sut.ring, {.group = "other"}};
    producer out{sut.ring};
    child stopped{[&](const in_child& self) {
        const membership member{ring::open(sut.name).shared(), layout::role::tool, ""};
        group_lock group{*member.where(), 0, member.id()};
        hold_and_stop(self, group);
        return 0;
    }};
    REQUIRE(stopped.await());

    CHECK(out.send_for(bytes("one"), patience));
    CHECK(in.receive_for(50ms).status() == receive_status::timed_out);
    CHECK(take_texts(elsewhere, 1) == std::vector<std::string>{"one"});

    REQUIRE(::kill(stopped.pid(), SIGCONT) == 0);
    CHECK(take_texts(in, 1) == std::vector<std::string>{"one"});
    CHECK(stopped.wait() == 0);
}

TEST_CASE("boundary: a sender whose descriptors were closed is told that its loan is not sent") {
    const a_ring sut;
    consumer in{sut.ring};
    child careless{[&](const in_child& self) {
        producer out{ring::open(sut.name)};
        auto space = out.lend(10);
        close_unknown_descriptors(sut.name.path());
        self.tell();
        self.wait_for_go();
        return error_of([&] { space.commit(); }) == errc::presence_lost ? 0 : 1;
    }};
    REQUIRE(careless.await());
    // It looks dead, and so its part of the stream is at its end, and truncated.
    CHECK(in.receive_for(patience).status() == receive_status::truncated);
    careless.go();
    CHECK(careless.wait() == 0);
    CHECK(in.try_receive().status() == receive_status::truncated);
}
