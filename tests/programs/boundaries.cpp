// The programs on a machine that is smaller, or on a ring that is less, than they would wish.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/program.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// A /dev/shm of 8 MB of its own, where one may be had.
const std::vector<std::string> small_shm{"/usr/bin/unshare",
                                         "--mount",
                                         "/bin/sh",
                                         "-c",
                                         "mount -t tmpfs -o size=8m tmpfs /dev/shm && exec \"$@\"",
                                         "sh"};

bool has_small_shm() {
    const unique_ring name;
    program probe{"ringpipe", {"ls"}, {.prefix = small_shm}};
    return probe.wait() == 0;
}

void both_refuse(int code, const std::string& name) {
    for (const std::string which : {"ringpipe-producer", "ringpipe-consumer"}) {
        program refuses{which, {name}, {.input = "a\n"}};
        CHECK(refuses.wait() == code);
        CHECK(is_one_line(refuses.err(), which));
    }
}

}  // namespace

TEST_CASE("in a /dev/shm of 8 MB a ring that fits works, and one that does not is refused") {
    if (!has_small_shm()) {
        MESSAGE("skipped: needs root, to mount a small /dev/shm");
        return;
    }
    const unique_ring name;
    program refused{"ringpipe-producer", {name}, {.input = "a\n", .prefix = small_shm}};
    CHECK(refused.wait() == 73);  // the default of 16 MiB
    CHECK(is_one_line(refused.err(), "ringpipe-producer"));
    CHECK(refused.err().find("--capacity") != std::string::npos);

    program works{
        "ringpipe",
        {"run", "--producer",
         path_of_program("ringpipe-producer") + " " + name.str() +
             " --capacity 4MiB --generate 20000",
         "--consumer",
         path_of_program("ringpipe-consumer") + " " + name.str() + " --capacity 4MiB --verify"},
        {.prefix = small_shm}};
    CHECK(works.wait() == 0);
}

TEST_CASE("on one processor everything passes through") {
    const unique_ring name;
    const program_io on_one{.prefix = {"/usr/bin/taskset", "--cpu-list", "0"}};
    if (!std::filesystem::exists(on_one.prefix.front())) {
        MESSAGE("skipped: there is no taskset");
        return;
    }
    for (const std::string wait : {"adaptive", "spin", "block"}) {
        CAPTURE(wait);
        producer_program out{{name, "--generate", "100000", "--wait", wait}, on_one};
        consumer_program in{{name, "--verify", "--wait", wait}, on_one};
        CHECK(in.wait() == 0);
        CHECK(out.wait() == 0);
    }
}

TEST_CASE("a ring of another version, and one that lost its end, are refused and left alone") {
    const unique_ring name;
    { const auto made = ring::create(name.str(), small()); }
    SUBCASE("another version") {
        { segment_view{name.path()}.control().version += 1; }
        both_refuse(78, name);
    }
    SUBCASE("another layout") {
        { segment_view{name.path()}.control().abi += 1; }
        both_refuse(78, name);
    }
    SUBCASE("half a file") {
        std::filesystem::resize_file(name.path(), std::filesystem::file_size(name.path()) / 2);
        both_refuse(65, name);
    }
    CHECK(name.exists());
}

TEST_CASE("a ring's file that is cut short under its programs is an error of both") {
    const unique_ring name;
    const auto ends = pipe_ends{};
    producer_program out{{name}, {.in = ends.read.get()}};
    consumer_program in{{name}};
    REQUIRE(eventually([&] {
        return name.exists() && std::filesystem::file_size(name.path()) > 0 &&
               ring::open(name.str()).status().members.size() == 2;
    }));
    std::filesystem::resize_file(name.path(), 0);
    REQUIRE(::write(ends.write.get(), "a\n", 2) == 2);
    CHECK(out.wait() == 74);
    CHECK(is_one_line(out.err(), "ringpipe-producer"));
    CHECK(in.wait() == 74);
    CHECK(is_one_line(in.err(), "ringpipe-consumer"));
}
