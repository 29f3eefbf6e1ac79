// What `ringpipe run` shows of itself on a terminal while it works.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "tests/programs/a_terminal.hpp"
#include "tests/programs/stages.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

constexpr int last_row = 23;

// The words are for a shell within single quotes.
std::string run_of(const std::string& words) {
    return path_of_program("ringpipe") + " run " + words;
}

// Lines until it is told that they are enough.
std::string until(const unique_file& enough) {
    return fmt::format(R"("while [ ! -s {} ]; do seq 100; sleep 0.01; done")", enough.path());
}

void tell(const unique_file& file) { std::ofstream{file.path()} << "enough"; }

bool last_row_shows(const a_terminal& seen, const std::string& what) {
    const bool shown =
        eventually([&] { return seen.row(last_row).find(what) != std::string::npos; });
    if (!shown) { MESSAGE(seen.text()); }
    return shown;
}

}  // namespace

TEST_CASE("run shows what flows in the last row and leaves the terminal as it was") {
    REQUIRE_MESSAGE(has_tmux(), "scripts/setup installs tmux");
    const unique_file enough;
    const unique_file more;
    a_terminal seen{run_of(until(enough) + R"( "2x cat" "while read -r x; do [ -s )" + more.path() +
                           R"( ] && break; done; seq 90; cat > /dev/null")")};
    CHECK(last_row_shows(seen, "% > 2 (2x) "));
    CHECK(last_row_shows(seen, "msg/s"));
    // What a stage writes meanwhile scrolls above it.
    tell(more);
    CHECK(eventually([&] { return seen.row(last_row - 2) == "90"; }));
    CHECK(last_row_shows(seen, "% > 2 (2x) "));
    tell(enough);
    CHECK(seen.shows("exit code 0"));
    CHECK(seen.hides("msg/s"));
    // All rows scroll again.
    CHECK(eventually([&] { return seen.row(last_row - 1) == "exit code 0"; }));
    CHECK(seen.row(last_row).empty());
    CHECK(seen.row(0) != seen.row(1));
}

TEST_CASE("run marks the stage that holds all others back and is quiet when it is stopped") {
    REQUIRE_MESSAGE(has_tmux(), "scripts/setup installs tmux");
    a_terminal seen{run_of(R"(--block 1KiB --capacity 64KiB yes "2x cat" "sleep 1000")")};
    CHECK(last_row_shows(seen, "3 0.0 msg/s BOTTLENECK"));
    seen.press("C-c");
    CHECK(seen.shows("stopping: what is on its way"));
    seen.press("C-c");
    CHECK(seen.shows("stage 3 (sleep 1000), in "));
    CHECK(seen.hides("BOTTLENECK"));
}

TEST_CASE("run does not draw where another program does or where it is told not to") {
    REQUIRE_MESSAGE(has_tmux(), "scripts/setup installs tmux");
    SUBCASE("a pager, which reads single keys") {
        const unique_file pager;
        const unique_file enough;
        a_terminal seen{run_of(until(enough) + R"( "2x cat")") + " | (while [ ! -s " +
                        pager.path() +
                        " ]; do read -r x; done; stty -icanon < /dev/tty; cat > /dev/null)"};
        CHECK(last_row_shows(seen, "% > 2 (2x) "));
        tell(pager);
        CHECK(seen.hides("msg/s"));
        tell(enough);
        CHECK(seen.shows("exit code 0"));
    }
    SUBCASE("by --no-view") {
        const unique_file enough;
        const unique_file begun;
        a_terminal seen{run_of("--no-view " + until(enough) + R"( "cat > )" + begun.path() + "\"")};
        REQUIRE(eventually([&] { return !begun.content().empty(); }));
        // Twice a second it would be drawn. No event tells that it was not: only time can.
        for (int look = 0; look < 15; ++look) {
            std::this_thread::sleep_for(100ms);
            CHECK(seen.text().find("msg/s") == std::string::npos);
        }
        tell(enough);
        CHECK(seen.shows("exit code 0"));
    }
}
