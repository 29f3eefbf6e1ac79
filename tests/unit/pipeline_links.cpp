// The rings of a run.
#include <doctest/doctest.h>

#include <list>
#include <string>

#include "pipeline/run/links.hpp"
#include "pipeline/run/stage_plan.hpp"
#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::pipeline;
using namespace ringpipe::test;

namespace {

part reading(const std::string& group, unsigned copies) {
    part one;
    one.from = 0;
    one.group = group;
    one.copies = copies;
    return one;
}

}  // namespace

TEST_CASE("a run's ring has a slot for each copy that writes or reads, and some for others") {
    run_plan plan;
    plan.rings.push_back({"1", 65536});
    part writing;
    writing.to = 0;
    writing.copies = most_copies;
    plan.parts = {writing, reading("default", most_copies)};
    const links sut{plan};
    const auto where = ring::open(sut.name(0));
    std::list<producer> writers;
    std::list<consumer> readers;
    for (unsigned i = 0; i < most_copies; ++i) {
        writers.emplace_back(where);
        readers.emplace_back(where);
    }
    CHECK(where.status().members.size() == 2 * most_copies + 1);
    CHECK(sut.room_for_members(0) == 20);
    readers.emplace_back(where);
    CHECK(sut.room_for_members(0) == 19);
}

TEST_CASE("a run's ring has room for the groups of all stages that read it") {
    run_plan plan;
    plan.rings.push_back({"1", 65536});
    part writing;
    writing.to = 0;
    plan.parts.push_back(writing);
    for (int i = 0; i < 30; ++i) { plan.parts.push_back(reading(std::to_string(i), 1)); }
    const links sut{plan};
    CHECK(sut.status(0).groups.size() == 30);
}

TEST_CASE("a run's rings are gone with it and found by their whole names") {
    run_plan plan;
    plan.rings.push_back({"1", 65536});
    std::string name;
    {
        const links sut{plan};
        name = sut.name(0);
        CHECK(name == sut.base() + "-1");
        CHECK(sut.find(name) == 0U);
        CHECK_FALSE(sut.find("1").has_value());
    }
    CHECK(error_of([&] { (void)ring::open(name); }) == errc::ring_not_found);
}
