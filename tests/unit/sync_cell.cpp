// sync::cell and sync::cell_writer. Death: crash/sync_cell.cpp.
#include "sync/cell.hpp"

#include <fcntl.h>

#include <array>
#include <cstddef>
#include <thread>
#include <vector>

#include "common/unique_fd.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// All alike, so that a mixed one shows.
template <std::size_t Words>
struct many {
    std::array<std::uint64_t, Words> all;

    explicit many(std::uint64_t value) { all.fill(value); }
    [[nodiscard]] bool whole() const {
        for (const auto each : all) {
            if (each != all[0]) { return false; }
        }
        return true;
    }
};

}  // namespace

TEST_CASE("sync cell: has no value and then the latest") {
    const a_space sut;
    const auto other = sut.another();
    const sync::cell<int> in{other, "c"};
    CHECK_FALSE(in.read());
    CHECK(in.version() == 0);
    int value = 7;
    CHECK(in.read_into(value) == 0);
    sync::cell_writer<int> out{sut.space, "c"};
    for (int i = 1; i < 20; ++i) {
        out.write(i);
        CHECK(in.read() == i);
        CHECK(in.read_into(value) == static_cast<std::uint64_t>(i));
        CHECK(value == i);
    }
    CHECK(in.version() == 19);
}

TEST_CASE("sync cell: values of any size come whole") {
    const a_space sut;
    const auto check = [&](auto value, const char* name) {
        using type = decltype(value);
        sync::cell_writer<type> out{sut.space, name};
        const sync::cell<type> in{sut.space, name};
        out.write(value);
        CHECK(in.read() == value);
    };
    check('c', "1");
    check(std::array<char, 3>{'a', 'b', 'c'}, "3");
    check(std::array<char, 13>{"twelve bytes"}, "13");
    check(1.5, "8");
    check(std::array<std::uint64_t, 100>{1, 2, 3}, "800");
}

TEST_CASE("sync cell: has one writer at a time and one size") {
    const a_space sut;
    const auto other = sut.another();
    {
        const sync::cell_writer<int> out{sut.space, "c"};
        CHECK(error_of([&] { sync::cell_writer<int>{other, "c"}; }) == errc::name_in_use);
        CHECK(error_of([&] { sync::cell_writer<int>{sut.space, "c"}; }) == errc::name_in_use);
        CHECK(error_of([&] { sync::cell<double>{other, "c"}; }) == errc::options_differ);
    }
    sync::cell_writer<int> out{other, "c"};
    out.write(3);
    CHECK(sync::cell<int>{sut.space, "c"}.read() == 3);
}

TEST_CASE("sync cell: who waits for a change is woken") {
    const a_space sut;
    const sync::cell<int> in{sut.space, "c"};
    CHECK_FALSE(in.wait_for(0, a_moment));
    CHECK(in.wait_for(7, 0ms));
    std::thread writer{[&] {
        const auto mine = sut.another();
        sync::cell_writer<int> out{mine, "c"};
        out.write(1);
    }};
    in.wait(0);
    CHECK(in.read() == 1);
    writer.join();
    CHECK_FALSE(in.wait_until(1, std::chrono::system_clock::now()));
}

TEST_CASE("sync cell: readers see no half of a value and none that is older than the last") {
    const a_space sut;
    using value = many<40>;
    constexpr std::uint64_t writes = 20'000;
    std::atomic<int> torn{0};
    std::atomic<int> back{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            const auto mine = sut.another();
            const sync::cell<value> in{mine, "c"};
            value seen{0};
            std::uint64_t last = 0;
            while (last < writes) {
                const auto version = in.read_into(seen);
                if (!seen.whole() || seen.all[0] != version) { ++torn; }
                if (version < last) { ++back; }
                last = version;
            }
        });
    }
    sync::cell_writer<value> out{sut.space, "c"};
    for (std::uint64_t i = 1; i <= writes; ++i) { out.write(value{i}); }
    for (auto& each : readers) { each.join(); }
    CHECK(torn == 0);
    CHECK(back == 0);
}

TEST_CASE("sync cell: bytes that cannot be are an error and no endless loop") {
    const a_space sut;
    sync::cell_writer<int> out{sut.space, "c"};
    const sync::cell<int> in{sut.space, "c"};
    out.write(1);
    const unique_fd file{::open(sut.name.path().c_str(), O_RDWR | O_CLOEXEC)};
    const auto at = sync::layout::arena_offset(8, 16) + offsetof(sync::layout::cell_body, begun);
    const std::uint64_t forged = 1000;
    REQUIRE(::pwrite(file.get(), &forged, sizeof forged, static_cast<off_t>(at)) == sizeof forged);
    CHECK(error_of([&] { (void)in.read(); }) == errc::corrupt);
}
