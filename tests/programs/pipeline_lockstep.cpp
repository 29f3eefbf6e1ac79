// ringpipe run --lockstep: one answer for each line, exactly once, whoever is killed.
#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/programs/stages.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

std::vector<std::string> ordered(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--lockstep", "--keep-order"});
    return more;
}

}  // namespace

TEST_CASE("lockstep answers each line once and in order if asked") {
    const auto text = numbers(1, 200'000);
    SUBCASE("in order") {
        stages_run sut{{"seq 200000", "3x sed -u s/x/y/"}, ordered()};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == text);
        CHECK(sut.err().empty());
        CHECK(sut.left_over().empty());
    }
    SUBCASE("in any order") {
        stages_run sut{{"seq 200000", "3x sed -u s/x/y/"}, {"--lockstep"}};
        CHECK(sut.wait() == 0);
        CHECK(sorted_numbers({sut.out()}) == sorted_numbers({text}));
    }
    SUBCASE("with a stage behind it and two of them") {
        stages_run sut{{"2x sed -u s/^/a/", "2x sed -u s/$/b/", "tail -1"},
                       ordered(),
                       {.input = numbers(1, 50'000)}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "a50000b\n");
    }
    SUBCASE("with other framings") {
        stages_run sut{{"2x sed -uz s/^/x/"},
                       ordered({"--framing", "nul"}),
                       {.input = std::string{"a\nb\0c\0", 6}}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == std::string{"xa\nb\0xc\0", 8});
    }
}

TEST_CASE("a filter that keeps its answers back gives them when its input ends") {
    stages_run sut{{"seq 20", "2x sed s/^/a/", "tail -1"}, ordered()};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == "a20\n");
}

TEST_CASE("a filter that does not answer each line with one line is told so") {
    SUBCASE("too few") {
        stages_run sut{{"seq 20", "2x grep 7"}, ordered()};
        CHECK(sut.wait() == 65);
        CHECK(
            sut.says("the filter ended before it had answered every line; --lockstep needs one "
                     "that answers each line with one line, to the end\n"));
    }
    SUBCASE("too many") {
        stages_run sut{{"seq 20", "2x sed -u p"}, ordered()};
        CHECK(sut.wait() == 65);
        CHECK(
            sut.says("the filter gave more lines than it was given; --lockstep needs one for "
                     "each\n"));
    }
}

TEST_CASE("a copy that fails is started again with a back-off until --restart is used up") {
    stages_run sut{{"seq 20", "1x read line; exit 5"}, ordered({"--restart", "2"})};
    CHECK(sut.wait() == 5);
    CHECK(sut.says("stage 2 (1x read line; exit 5) is started again, 1 of 2: exit code 5\n"));
    CHECK(sut.says("stage 2 (1x read line; exit 5) is started again, 2 of 2: exit code 5\n"));
    CHECK(
        sut.says("stage 2 (1x read line; exit 5) failed: exit code 5; 1 messages were sent to "
                 "it, "));
}

TEST_CASE("a filter that fails now and then loses nothing and repeats nothing") {
    // Each life answers 500 lines; what it has answered of a message is answered again.
    stages_run sut{{"seq 3000", "2x sed -u 500q5"},
                   ordered({"--restart", "1000", "--block", "512"})};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == numbers(1, 3000));
    CHECK(sut.says("is started again, 1 of 1000: exit code 5\n"));
}

TEST_CASE("copies and filters killed at random 50 times: the output is the undisturbed one") {
    constexpr int kills = 50;
    constexpr int lines = 400'000;
    std::mt19937 random{std::random_device{}()};
    const unique_file go;
    // The source waits with its end until all have been killed.
    stages_run sut{{"seq " + std::to_string(lines) + "; while [ ! -s " + go.path() +
                        " ]; do sleep 0.01; done; echo last",
                    "2x sed -u s/x/y/"},
                   ordered({"--restart", "1000", "--block", "1KiB", "--capacity", "64KiB"})};
    int killed = 0;
    while (killed < kills) {
        auto victims = killed % 2 == 0 ? sut.copies_of("stage 2.") : sut.running({"sed\0-u", 6});
        if (victims.empty()) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
            continue;
        }
        killed += ::kill(victims[random() % victims.size()], SIGKILL) == 0 ? 1 : 0;
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 20'000});
    }
    std::ofstream{go.path()} << "go";
    CHECK(sut.wait() == 0);
    const auto text = numbers(1, lines) + "last\n";
    // Not CHECK(a == b): it would print megabytes.
    const bool same = sut.out() == text;
    CHECK(same);
    CHECK(sut.says("is started again, 5 of 1000: "));
    CHECK(sut.left_over().empty());
}
