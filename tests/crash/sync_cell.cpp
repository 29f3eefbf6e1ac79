// sync::cell: its writer is killed.
#include "sync/cell.hpp"

#include <array>

#include "tests/support/child.hpp"
#include "tests/support/space_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

struct value {
    std::array<std::uint64_t, 64> all;
    explicit value(std::uint64_t v) { all.fill(v); }
};

}  // namespace

TEST_CASE("sync cell: the value of a killed writer stays whole and another goes on") {
    const a_space sut;
    const sync::cell<value> in{sut.space, "c"};
    std::uint64_t last = 0;
    for (int round = 0; round < 40; ++round) {
        child writer{[&](const in_child&) {
            const auto space = sut.another();
            sync::cell_writer<value> out{space, "c"};
            for (auto n = last + 1;; ++n) { out.write(value{n}); }
            return 0;
        }};
        REQUIRE(eventually([&] { return in.version() > last + 100; }));
        CHECK(error_of([&] { sync::cell_writer<value>{sut.space, "c"}; }) == errc::name_in_use);
        writer.kill();
        const auto seen = in.read();
        REQUIRE(seen);
        last = in.version();
        for (const auto each : seen->all) { REQUIRE(each == last); }
        sync::cell_writer<value> mine{sut.space, "c"};
        mine.write(value{++last});
        REQUIRE(in.read());
        REQUIRE(in.read()->all[63] == last);
    }
}
