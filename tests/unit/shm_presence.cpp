// Who is alive: the byte that each member holds, and the slot and incarnation that go with it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "common/unique_fd.hpp"
#include "shm/presence.hpp"
#include "tests/support/child.hpp"
#include "tests/support/ring_fixture.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// A descriptor of the test's own, apart from all that the library has.
struct own_descriptor {
    explicit own_descriptor(const std::string& path)
        : file{::open(path.c_str(), O_RDWR | O_CLOEXEC)} {
        struct stat about {};
        REQUIRE(::fstat(file.get(), &about) == 0);
        inode = about.st_ino;
    }

    unique_fd file;
    std::uint64_t inode = 0;
};

}  // namespace

TEST_CASE("presence: a byte has one holder and others see that it is held") {
    const unique_name name{"/tmp"};
    (void)ring::create(name, small());
    const own_descriptor asker{name.path()};
    presence one{name.path(), asker.file.get()};
    presence other{name.path(), asker.file.get()};
    CHECK_FALSE(is_held(asker.file.get(), asker.inode, 3));
    CHECK(one.try_hold(3));
    CHECK_FALSE(other.try_hold(3));
    CHECK(other.try_hold(4));
    CHECK(is_held(asker.file.get(), asker.inode, 3));
    CHECK(is_held(asker.file.get(), asker.inode, 4));
    CHECK_FALSE(is_held(asker.file.get(), asker.inode, 5));
    one.let_go(3);
    CHECK_FALSE(is_held(asker.file.get(), asker.inode, 3));
    CHECK(other.try_hold(3));
}

TEST_CASE("presence: goes with its holder") {
    const a_ring sut;
    const own_descriptor asker{sut.name.path()};
    {
        presence passing{sut.name.path(), asker.file.get()};
        REQUIRE(passing.try_hold(1));
    }
    CHECK_FALSE(is_held(asker.file.get(), asker.inode, 1));
}

TEST_CASE("presence: refuses a file that is not the one that was opened") {
    const a_ring sut;
    const own_descriptor old{sut.name.path()};
    REQUIRE(ring::remove(sut.name));
    CHECK(error_of([&] { presence(sut.name.path(), old.file.get()); }) == errc::ring_not_found);
    const auto made_anew = ring::create(sut.name, small());
    CHECK(error_of([&] { presence(sut.name.path(), old.file.get()); }) == errc::ring_not_found);
}

TEST_CASE("presence: a descriptor that was closed under us is an error and not a death") {
    const a_ring sut;
    own_descriptor asker{sut.name.path()};
    const int number = asker.file.get();
    asker.file.reset();
    CHECK(error_of([&] { (void)is_held(number, asker.inode, 0); }) == errc::presence_lost);
    // And when the number is reused for another file.
    const unique_fd reused{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    REQUIRE(reused.get() == number);
    CHECK(error_of([&] { (void)is_held(number, asker.inode, 0); }) == errc::presence_lost);
}

TEST_CASE("presence: a forked child holds nothing and takes nothing from its parent") {
    const a_ring sut;
    const own_descriptor asker{sut.name.path()};
    auto held = std::make_unique<presence>(sut.name.path(), asker.file.get());
    REQUIRE(held->try_hold(2));
    SUBCASE("the child's destructor does not let go") {
        child forked{[&](const in_child&) {
            const bool knows = held->forked();
            held.reset();
            return knows ? 0 : 1;
        }};
        CHECK(forked.wait() == 0);
        CHECK_FALSE(held->forked());
        CHECK(is_held(asker.file.get(), asker.inode, 2));
    }
    SUBCASE("the child's life does not hold on") {
        child forked{[&](const in_child& self) -> int { self.tell_and_stay(); }};
        REQUIRE(forked.await());
        held.reset();
        CHECK_FALSE(is_held(asker.file.get(), asker.inode, 2));
    }
}

TEST_CASE("member: holds its slot's byte as long as it is attached") {
    const a_ring sut;
    const segment_view view{sut.name.path()};
    {
        const producer out{sut.ring};
        const auto slot = view.slot_of_pid(::getpid());
        CHECK(byte_is_held(sut.name.path(), slot));
        CHECK(view.member(slot).what == layout::role::producer);
    }
    CHECK_FALSE(byte_is_held(sut.name.path(), 0));
    CHECK(view.member(0).what == layout::role::none);
}

TEST_CASE("member: two in one slot one after the other are never the same one") {
    const a_ring sut;
    const segment_view view{sut.name.path()};
    layout::member_id first = 0;
    {
        const producer out{sut.ring};
        first = view.member_in(view.slot_of_pid(::getpid()));
    }
    const producer out{sut.ring};
    const auto second = view.member_in(view.slot_of_pid(::getpid()));
    CHECK(layout::slot_of(first) == layout::slot_of(second));
    CHECK(first != second);
}

TEST_CASE("member: an incarnation that wraps is still a member that works") {
    const a_ring sut;
    const segment_view view{sut.name.path()};
    for (std::uint32_t slot = 0; slot < view.members(); ++slot) {
        view.member(slot).incarnation = 0xfffffffeU;
    }
    for (int i = 0; i < 3; ++i) {
        producer out{sut.ring};
        consumer in{sut.ring};
        auto lent = out.lend(100);
        lent.commit(1);
        REQUIRE(take(in, 1).size() == 1);
    }
}

TEST_CASE(
    "members: a full table is an error that names the way out and a place left is a place again") {
    const a_ring sut;  // eight slots
    std::vector<producer> all;
    for (int i = 0; i < 8; ++i) { all.emplace_back(sut.ring); }
    CHECK(error_of([&] { producer{sut.ring}; }) == errc::members_full);
    CHECK(error_of([&] { consumer{sut.ring}; }) == errc::members_full);
    send_all(all.front(), {"still works"});
    all.pop_back();
    consumer in{sut.ring};
    CHECK(take_texts(in, 1) == std::vector<std::string>{"still works"});
}

TEST_CASE("members: a failed attachment leaves no byte held") {
    const a_ring sut;
    producer_options options;
    options.name = "a\nb";
    CHECK(error_of([&] { producer(sut.ring, options); }) == errc::invalid_name);
    for (std::uint32_t slot = 0; slot < 8; ++slot) {
        CHECK_FALSE(byte_is_held(sut.name.path(), slot));
    }
    CHECK(sut.ring.status().members.empty());
    CHECK_FALSE(sut.ring.status().ended);
}
