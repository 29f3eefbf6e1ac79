// More ends than one thread can wait for, a kernel without futex_waitv, a full member table.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstddef>
#include <memory>

#include "async/async_consumer.hpp"
#include "async/async_producer.hpp"
#include "async/futex_waitv.hpp"
#include "tests/support/child.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// From now on futex_waitv fails like that in this process.
bool forbid_futex_waitv(std::uint32_t error_number) {
    constexpr std::uint32_t futex_waitv = 449;
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, futex_waitv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error_number & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{std::size(rules), rules};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

TEST_CASE("async: more ends wait at once than the kernel lets one thread wait for") {
    constexpr std::size_t count = most_words_at_once + 20;
    std::vector<std::unique_ptr<a_ring>> rings;
    asio::io_context loop;
    std::vector<async_consumer> ends;
    std::size_t received = 0;
    for (std::size_t i = 0; i < count; ++i) {
        rings.push_back(std::make_unique<a_ring>());
        ends.emplace_back(loop, rings.back()->ring);
        ends.back().async_receive([&](error_code, async_message message) {
            message.acknowledge();
            ++received;
        });
    }
    for (const auto& each : rings) { REQUIRE(waits_for_messages(each->name)); }
    loop.poll();
    CHECK(received == 0);
    for (const auto& each : rings) {
        producer out{each->ring};
        out.send(bytes("x"));
        out.close();
    }
    run(loop);
    CHECK(received == count);
}

TEST_CASE("async: without futex_waitv a waiting receive still gets its message") {
    for (const int error_number : {ENOSYS, EPERM}) {
        CAPTURE(error_number);
        const a_ring sut;
        child receiver{[&](const in_child& self) {
            if (!forbid_futex_waitv(static_cast<std::uint32_t>(error_number))) { return 77; }
            asio::io_context loop;
            async_consumer in{loop, sut.ring};
            std::string got;
            receive_into(got, in);
            if (!waits_for_messages(sut.name)) { return 2; }
            self.tell();
            run(loop);
            return got == "late" ? 0 : 1;
        }};
        if (!receiver.await()) {
            const int code = receiver.wait();
            REQUIRE(code == 77);
            MESSAGE("skipped: no seccomp filters here");
            return;
        }
        producer out{sut.ring};
        out.send(bytes("late"));
        CHECK(receiver.wait() == 0);
    }
}

TEST_CASE("async: an end that finds no free slot says so, and later there is one") {
    auto few = small();
    few.members = 2;
    const a_ring sut{few};
    asio::io_context loop;
    async_producer out{loop, sut.ring};
    {
        const async_consumer second{loop, sut.ring};
        CHECK(error_of([&] { const async_consumer third{loop, sut.ring}; }) == errc::members_full);
    }
    async_consumer in{loop, sut.ring};
    std::string got;
    receive_into(got, in);
    out.async_send("free again", [](error_code) {});
    run(loop);
    CHECK(got == "free again");
}
