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

TEST_CASE("answers that do not fit into a ring are an error that says what to do") {
    const std::string long_answer = "1x while read -r x; do printf '%05000d\\n' 1; done";
    SUBCASE("the one behind the stage") {
        stages_run sut{{"echo 1", long_answer, "cat"}, ordered({"--capacity", "4KiB"})};
        CHECK(sut.wait() == 65);
        CHECK(sut.says("stage 2: the answers to one message are 5009 bytes, "));
        CHECK(sut.says("and the ring takes 4064; give a larger --capacity or a smaller --block"));
        CHECK(sut.left_over().empty());
        CHECK(sut.processes() == 0);
    }
    SUBCASE("the next one, which is smaller") {
        file_run sut{
            "[ring.b]\ncapacity = \"4KiB\"\n[[stage]]\ncommand = \"seq 20\"\n"
            "to = \"a\"\n[[stage]]\ncommand = \"\"\"" +
            std::string{R"(while read -r x; do printf %05000d 1; echo; done)"} +
            "\"\"\"\nlockstep = true\nfrom = \"a\"\nto = \"b\"\n[[stage]]\n"
            "command = \"cat\"\nfrom = \"b\"\n"};
        CHECK(sut.run.wait() == 65);
        CHECK(sut.run.says(
            " bytes of lines do not fit into the next ring; give a larger --capacity"));
        CHECK(sut.run.left_over().empty());
        CHECK(sut.run.processes() == 0);
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

TEST_CASE(
    "killing copies and filters 50 times leaves the output of an undisturbed run byte for byte") {
    constexpr int kills = 50;
    std::mt19937 random{std::random_device{}()};
    const unique_file asked;
    const unique_file enough;
    // Goes on until all have been killed.
    const auto source = "i=0; while [ ! -s " + enough.path() +
                        " ]; do seq ${i}1 ${i}999; i=$((i + 1)); done | tee " + asked.path();
    stages_run sut{{source, "4x sed -u s/x/y/"},
                   ordered({"--restart", "1000", "--block", "1KiB", "--capacity", "64KiB"})};
    int killed = 0;
    const auto kill_one_of = [&](const std::vector<pid_t>& victims) {
        if (victims.empty()) { return; }
        killed += ::kill(victims[random() % victims.size()], SIGKILL) == 0 ? 1 : 0;
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 5'000});
    };
    // Bursts, each into a pipeline at work.
    while (killed < kills) {
        const auto before = sut.out().size();
        REQUIRE(eventually([&] { return sut.out().size() > before; }));
        for (auto burst = 1 + random() % 5; burst > 0; --burst) {
            kill_one_of(random() % 2 == 0 ? sut.copies_of("stage 2.")
                                          : sut.running({"sed\0-u", 6}));
        }
    }
    std::ofstream{enough.path()} << "enough";
    CHECK(sut.wait() == 0);
    // Not CHECK(a == b): it would print megabytes.
    const bool same = sut.out() == asked.content();
    CHECK(same);
    CHECK(sut.says("is started again, 3 of 1000: "));
    CHECK(sut.left_over().empty());
}
