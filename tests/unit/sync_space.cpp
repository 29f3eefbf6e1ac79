// A space: made, opened, removed, and the names in it.
#include "sync/space.hpp"

#include <fcntl.h>

#include <algorithm>

#include "common/unique_fd.hpp"
#include "sync/mutex.hpp"
#include "tests/support/child.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

TEST_CASE("space: is made and opened and listed and removed by name") {
    const unique_space name;
    CHECK(error_of([&] { sync::space::open(name, deadline::min()); }) == errc::ring_not_found);
    const auto made = sync::space::create(name, small_space());
    CHECK(error_of([&] { sync::space::create(name); }) == errc::ring_exists);
    CHECK(sync::space::open(name).name() == name.str());
    CHECK(sync::space::open_or_create(name).name() == name.str());
    const auto all = sync::space::list();
    CHECK(std::find(all.begin(), all.end(), name.str()) != all.end());
    CHECK(sync::space::remove(name));
    CHECK_FALSE(sync::space::remove(name));
    CHECK(::access(name.path().c_str(), F_OK) != 0);
}

TEST_CASE("space: is no ring and a ring is no space") {
    const a_space sut;
    const auto rings = ring::list();
    CHECK(std::none_of(rings.begin(), rings.end(), [&](const std::string& each) {
        return each.find(sut.name.str()) != std::string::npos;
    }));
    CHECK(error_of([&] { ring::open(sut.name.path(), deadline::min()); }) == errc::not_a_ring);
    CHECK(error_of([&] { ring::remove(sut.name.path()); }) == errc::not_a_ring);
    const a_ring other;
    CHECK(error_of([&] { sync::space::open(other.name.path(), deadline::min()); }) ==
          errc::not_a_ring);
    CHECK(error_of([&] { sync::space::remove(other.name.path()); }) == errc::not_a_ring);
}

TEST_CASE("space: options that differ are refused by name") {
    const a_space sut;
    sync::space_options asked;
    SUBCASE("members") { asked.members = 9; }
    SUBCASE("entries") { asked.entries = 9; }
    SUBCASE("size") { asked.size = 9; }
    SUBCASE("mode") { asked.mode = 0660; }
    SUBCASE("liveness interval") { asked.liveness_interval = 9ms; }
    CHECK(error_of([&] { sync::space::open_or_create(sut.name, asked); }) == errc::options_differ);
}

TEST_CASE("space: options that cannot be are refused") {
    const unique_space name;
    sync::space_options asked;
    SUBCASE("no members") { asked.members = 0; }
    SUBCASE("too many members") { asked.members = 1025; }
    SUBCASE("no entries") { asked.entries = 0; }
    SUBCASE("no bytes") { asked.size = 0; }
    SUBCASE("more bytes than are allowed") { asked.size = std::uint64_t{1} << 33U; }
    SUBCASE("no liveness interval") { asked.liveness_interval = 0ms; }
    SUBCASE("a strange mode") { asked.mode = 010000; }
    SUBCASE("a mode its owner cannot use") { asked.mode = 0400; }
    CHECK(error_of([&] { sync::space::create(name, asked); }) == errc::invalid_argument);
    CHECK(error_of([&] { sync::space::create("", {}); }) == errc::invalid_name);
}

TEST_CASE("space: one name has one kind and everybody finds the same") {
    const a_space sut;
    const auto other = sut.another();
    sync::mutex here{sut.space, "a"};
    sync::mutex there{other, "a"};
    sync::mutex elsewhere{other, "b"};
    REQUIRE(here.try_lock());
    CHECK_FALSE(there.try_lock());
    CHECK(elsewhere.try_lock());
    here.unlock();
    CHECK(there.try_lock());
    CHECK(error_of([&] { sync::mutex{sut.space, ""}; }) == errc::invalid_name);
    CHECK(error_of([&] { sync::mutex{sut.space, "a/b"}; }) == errc::invalid_name);
}

TEST_CASE("space: too many names or bytes or members are an error that says so") {
    auto options = small_space();
    options.entries = 2;
    options.members = 2;
    options.size = 128;
    SUBCASE("names") {
        options.size = 1024;
        const a_space sut{options};
        const sync::mutex a{sut.space, "a"};
        const sync::mutex b{sut.space, "b"};
        CHECK(error_of([&] { sync::mutex{sut.space, "c"}; }) == errc::names_full);
        CHECK_FALSE(error_of([&] { sync::mutex{sut.space, "a"}; }));
    }
    SUBCASE("bytes") {
        const a_space sut{options};
        const sync::mutex a{sut.space, "a"};
        CHECK(error_of([&] { sync::mutex{sut.space, "b"}; }) == errc::no_space);
    }
    SUBCASE("members") {
        const a_space sut{options};
        {
            const auto second = sut.another();
            CHECK(error_of([&] { (void)sut.another(); }) == errc::members_full);
        }
        CHECK_FALSE(error_of([&] { (void)sut.another(); }));
    }
}

TEST_CASE("space: a file that somebody cut or overwrote is refused") {
    const a_space sut;
    const sync::mutex before{sut.space, "a"};
    const unique_fd file{::open(sut.name.path().c_str(), O_RDWR | O_CLOEXEC)};
    REQUIRE(file);
    const auto forge = [&](off_t where, auto value) {
        REQUIRE(::pwrite(file.get(), &value, sizeof value, where) == sizeof value);
    };
    const auto reopen = [&] { return error_of([&] { (void)sut.another(); }); };
    SUBCASE("cut") {
        REQUIRE(::ftruncate(file.get(), 4096) == 0);
        CHECK(reopen() == errc::truncated_segment);
    }
    SUBCASE("another version") {
        forge(8, std::uint32_t{77});
        CHECK(reopen() == errc::wrong_version);
    }
    SUBCASE("impossible tables") {
        forge(16, std::uint32_t{5000});
        CHECK(reopen() == errc::corrupt);
    }
    SUBCASE("an entry outside of the arena") {
        const off_t first_entry = 256 + 8 * 64;
        const off_t field = first_entry + 8;
        SUBCASE("parameter") { forge(field, ~std::uint64_t{0}); }
        SUBCASE("offset") { forge(field + 8, std::uint64_t{1} << 40U); }
        SUBCASE("offset that is none") { forge(field + 8, std::uint64_t{3}); }
        SUBCASE("size") { forge(field + 16, std::uint64_t{1} << 63U); }
        const auto seen = error_of([&] { sync::mutex{sut.space, "a"}; });
        CHECK((seen == errc::corrupt || seen == errc::options_differ));
    }
}

TEST_CASE("space: a forked child has to open it again") {
    const a_space sut;
    sync::mutex m{sut.space, "m"};
    m.lock();
    child forked{[&](const in_child&) {
        const bool refused = error_of([&] { (void)m.try_lock(); }) == errc::forked &&
                             error_of([&] {
                                 sync::mutex{sut.space, "m"};
                             }) == errc::forked;
        m.unlock();  // the parent's: nothing happens
        const auto mine = sync::space::open(sut.name);
        sync::mutex again{mine, "m"};
        return refused && !again.try_lock() ? 0 : 1;
    }};
    CHECK(forked.wait() == 0);
    m.unlock();
}
