// `ringpipe top` on a real terminal: tmux is the terminal, keys are sent, the screen is read.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "tests/programs/a_terminal.hpp"
#include "tests/support/program.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::test;

std::string top_of(const unique_ring& ring, const std::string& more = "--every 200ms") {
    const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return fmt::format("{}/ringpipe top {} {}", folder.string(), ring.str(), more);
}

}  // namespace

TEST_CASE("top shows a ring as it flows and marks the bottleneck and quits with q") {
    REQUIRE_MESSAGE(has_tmux(), "scripts/setup installs tmux");
    const unique_ring name;
    const auto where = ring::create(name.str(), small(65536));
    where.add_group("slow");
    where.add_group("quick");
    producer_program sends{{name, "--generate", "100000000:1000"}};
    consumer_program takes{{name, "--group", "quick", "--to", "/dev/null"}};
    a_terminal seen{top_of(name)};
    CHECK(seen.shows("BOTTLENECK"));
    CHECK(seen.shows("waits for room"));
    CHECK(seen.shows("nobody"));
    {
        consumer_program drains{{name, "--group", "slow", "--to", "/dev/null"}};
        CHECK(seen.hides("nobody"));
        CHECK(seen.shows("% CPU"));
    }
    seen.press("q");
    CHECK(seen.shows("exit code 0"));
}

TEST_CASE("top obeys its keys and a change of size") {
    REQUIRE_MESSAGE(has_tmux(), "scripts/setup installs tmux");
    const unique_ring name;
    producer out{ring::create(name.str(), small(65536))};
    send_all(out, {"one", "two"});
    a_terminal seen{top_of(name)};
    CHECK(seen.shows("running"));
    CHECK(seen.shows("2 sent"));
    seen.press("m");
    CHECK(seen.hides("running"));
    seen.press("s");
    CHECK(seen.shows("by rate"));
    seen.press("h");
    CHECK(seen.shows("BOTTLENECK: the ring is full"));
    seen.press("x");
    CHECK(seen.hides("BOTTLENECK: the ring is full"));
    seen.press("p");
    CHECK(seen.shows("PAUSED"));
    send_all(out, {"three"});
    seen.press("+");
    CHECK(seen.shows("every 100 ms"));
    CHECK(seen.text().find("2 sent") != std::string::npos);
    seen.press("p");
    CHECK(seen.shows("3 sent"));
    seen.resize(40, 5);
    CHECK(seen.shows("3 sent, 0.0 B\n"));
    seen.press("Down");
    seen.press("C-c");
    CHECK(seen.shows("exit code 130"));
}

TEST_CASE("top says in one line that it needs a terminal or a better one") {
    const unique_ring name;
    program piped{"ringpipe", {"top", name}};
    CHECK(piped.wait() == 64);
    CHECK(is_one_line(piped.err(), "ringpipe"));
    CHECK(piped.err().find("stat --watch") != std::string::npos);
    REQUIRE_MESSAGE(has_tmux(), "scripts/setup installs tmux");
    a_terminal poor{top_of(name), "TERM=no-such-terminal"};
    CHECK(poor.shows("cannot draw on a terminal of the kind TERM=no-such-terminal"));
    CHECK(poor.shows("exit code 64"));
    a_terminal plain{top_of(name, ""), "LC_ALL=C NO_COLOR=1"};
    CHECK(plain.shows("there is no ring"));
}
