// ringpipe run 'A' '2x B' 'C': what a shell's pipe does, with many copies of a stage.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "pipeline/run/command_line_plan.hpp"
#include "pipeline/stage/frames.hpp"
#include "tests/programs/stages.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// Its numbers, as many as `bytes` begin to say, end with a whole line.
bool all_lines(const std::string& text) { return text.empty() || text.back() == '\n'; }

}  // namespace

TEST_CASE("stages without copies do what a pipe does") {
    stages_run sut{{"seq 100000", "grep 7", "tail -2"}};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == "99987\n99997\n");
    CHECK(sut.err().empty());
    CHECK(sut.left_over().empty());
}

TEST_CASE("two copies of a stage share the lines and each line is seen once") {
    stages_run sut{{"seq 200000", "2x grep 7"}};
    CHECK(sut.wait() == 0);
    const auto out = sut.out();
    CHECK(all_lines(out));
    CHECK(sorted_numbers({out}) == numbers_with(7, 200'000));
}

TEST_CASE("the first stage reads the standard input and the last writes the standard output") {
    SUBCASE("of one stage") {
        stages_run sut{{"cat"}, {}, {.input = "a\nb"}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "a\nb");
    }
    SUBCASE("of copies; the last line is ended so that it stays a line") {
        stages_run sut{{"3x cat"}, {}, {.input = "a\nb"}};
        CHECK(sut.wait() == 0);
        // Two messages, as they come.
        const bool both = sut.out() == "a\nb\n" || sut.out() == "b\na\n";
        CHECK(both);
    }
    SUBCASE("and a first stage that reads nothing has it and does not need it") {
        stages_run sut{{"seq 3", "cat"}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "1\n2\n3\n");
    }
}

TEST_CASE("a copy knows its number and one that gets no line is not started") {
    stages_run sut{{"echo a", "3x sed \"s/$/ $RINGPIPE_NUMBER/\""}};
    CHECK(sut.wait() == 0);
    CHECK(sut.out().size() == 4);
    CHECK(sut.out().starts_with("a "));
    // grep fails without a match, and only the copy with the line has one.
    stages_run one{{"echo a", "1x grep a"}};
    CHECK(one.wait() == 0);
}

TEST_CASE("any stage that fails makes the run fail with the code of the last one and is named") {
    SUBCASE("the first") {
        stages_run sut{{"seq 5; exit 7", "cat"}};
        CHECK(sut.wait() == 7);
        CHECK(sut.out() == "1\n2\n3\n4\n5\n");
        CHECK(sut.err() == "ringpipe: stage 1 (seq 5; exit 7) failed: exit code 7\n");
    }
    SUBCASE("all copies of a middle one, so that the first is stopped, too") {
        stages_run sut{{"yes", "2x exit 7", "wc -l"}};
        CHECK(sut.wait() == 7);
        CHECK(sut.out() == "0\n");
        CHECK(sut.says("ringpipe: stage 2.1 (2x exit 7) failed: exit code 7; "));
        CHECK(sut.says(" messages were sent to it, "));
    }
    SUBCASE("two of them") {
        stages_run sut{{"exit 3", "cat", "cat; exit 4"}};
        CHECK(sut.wait() == 4);
        CHECK(sut.says("stage 1 (exit 3) failed: exit code 3"));
        CHECK(sut.says("stage 3 (cat; exit 4) failed: exit code 4"));
    }
    SUBCASE("one that does not exist") {
        stages_run sut{{"seq 5", "2x /no/such/program", "cat"}};
        CHECK(sut.wait() == 127);
        CHECK(sut.says("stage 2.1: /bin/sh: 1: /no/such/program: not found\n"));
        CHECK(sut.says("failed: exit code 127 (command not found)"));
        CHECK(sut.left_over().empty());
        CHECK(sut.processes() == 0);
    }
    SUBCASE("one that was killed") {
        stages_run sut{{"seq 5", "kill -9 $$", "cat"}};
        CHECK(sut.wait() == 137);
        CHECK(sut.says("stage 2 (kill -9 $$) failed: exit code 137"));
    }
}

TEST_CASE("a stage of copies finds nothing only if no copy does, as grep in a pipe") {
    SUBCASE("one finds something") {
        stages_run sut{{"seq 100000", "2x grep -x 777"}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "777\n");
        CHECK(sut.err().empty());
    }
    SUBCASE("none does") {
        stages_run sut{{"seq 100000", "2x grep nothing"}};
        CHECK(sut.wait() == 1);
        CHECK(sut.err() ==
              "ringpipe: stage 2 (2x grep nothing) failed: exit code 1 of all copies\n");
    }
    SUBCASE("there is nothing to be found") {
        stages_run sut{{"true", "3x grep nothing"}};
        CHECK(sut.wait() == 1);
    }
    SUBCASE("one that fails with a word has failed") {
        stages_run sut{{"seq 100000; sleep 0.1; echo x",
                        "2x cat >/dev/null; [ $RINGPIPE_NUMBER = 1 ] && echo bad >&2; exit 1"}};
        CHECK(sut.wait() == 1);
        CHECK(sut.says("stage 2.1: bad\n"));
        CHECK(sut.says("stage 2.1 (2x cat >/dev/null; "));
    }
}

TEST_CASE("a copy that dies is started again but what it had read is lost and so the run fails") {
    const unique_file second_life;
    stages_run sut{
        {"seq 100000; while [ ! -s " + second_life.path() + " ]; do sleep 0.01; done; echo end",
         "1x if [ -n \"$(cat " + second_life.path() + ")\" ]; then cat; else echo x >" +
             second_life.path() + "; kill -9 $$; fi"}};
    CHECK(sut.wait() == 137);
    CHECK(sut.out().ends_with("end\n"));
    CHECK(
        sut.says(" is started again, 1 of 3: exit code 137; what it had read and not answered is "
                 "lost, so the run will fail\n"));
}

TEST_CASE(
    "a first stage with a count that dies has lost some of the standard input and fails the run") {
    const unique_file second_life;
    stages_run sut{{"1x if [ -n \"$(cat " + second_life.path() + ")\" ]; then cat; else echo x >" +
                        second_life.path() + "; read -r line; kill -9 $$; fi",
                    "tail -1"},
                   {"--capacity", "64KiB"},
                   {.input = numbers(1, 300'000)}};
    CHECK(sut.wait() == 137);
    CHECK(sut.out() == "300000\n");
    CHECK(sut.says("what it had read and not answered is lost, so the run will fail\n"));
}

TEST_CASE("a stage whose reader wants no more is stopped and that is no failure") {
    SUBCASE("the last stage ends") {
        stages_run sut{{"yes", "2x cat", "head -2"}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "y\ny\n");
        CHECK(sut.err().empty());
    }
    SUBCASE("a copy closes its input early, and the others go on") {
        stages_run sut{{"seq 1000000", "2x if [ $RINGPIPE_NUMBER = 2 ]; then head -1; else cat; fi",
                        "tail -1"}};
        CHECK(sut.wait() == 0);
        CHECK(all_lines(sut.out()));
    }
    SUBCASE("nobody reads our standard output") {
        pipe_ends pipe;
        stages_run sut{{"yes", "2x cat"}, {}, {.out = pipe.write.get()}};
        pipe.write.reset();
        pipe.read.reset();
        CHECK(sut.wait() == 128 + SIGPIPE);
        CHECK(sut.err().empty());
        CHECK(sut.left_over().empty());
    }
}

TEST_CASE("what a stage says on standard error has its name before it") {
    stages_run sut{{"seq 5; echo one >&2; printf two >&2", "cat >&2"}};
    CHECK(sut.wait() == 0);
    CHECK(sut.says("stage 1: one\n"));
    CHECK(sut.says("stage 1: two\n"));
    CHECK(sut.says("stage 2: 5\n"));
}

TEST_CASE(
    "a line that can never fit into a ring is an error that says which stage and what to do") {
    stages_run sut{{"head -c 100000 /dev/zero | tr '\\0' a", "2x cat"}, {"--capacity", "4096"}};
    CHECK(sut.wait() == 65);
    CHECK(
        sut.says("ringpipe: stage 1: a line is longer than the 4064 bytes that the ring takes; "
                 "give a larger --capacity\n"));
    CHECK(sut.left_over().empty());
}

TEST_CASE("the first Ctrl-C stops the source and drains and a second one ends all at once") {
    SUBCASE("once") {
        stages_run sut{{"seq 1000000000", "2x cat", "tail -1"}, {"--summary"}};
        REQUIRE(sut.flows());
        sut.signal(SIGINT);
        CHECK(sut.wait() == 130);
        CHECK(all_lines(sut.out()));
        CHECK(!sut.out().empty());
        CHECK(sut.says("ringpipe: stopping: "));
        CHECK(sut.says("stage 3 (tail -1), in "));
    }
    SUBCASE("twice") {
        stages_run sut{{"seq 1000000000", "2x cat", "sleep 1000"}};
        REQUIRE(sut.flows());
        sut.signal(SIGINT);
        REQUIRE(eventually([&] { return sut.says("once more"); }));
        sut.signal(SIGINT);
        CHECK(sut.wait() == 130);
    }
}

TEST_CASE("a killed launcher takes all its stages along") {
    stages_run sut{{"seq 1000000000", "2x cat | cat", "cat > /dev/null"}};
    REQUIRE(sut.flows());
    CHECK(sut.processes() >= 8);
    sut.signal(SIGKILL);
    CHECK(sut.wait() == 137);
    CHECK(eventually([&] { return sut.processes() == 0; }));
}

TEST_CASE("stages can pass on other things than lines") {
    SUBCASE("strings with a zero byte at the end") {
        stages_run sut{{"printf 'a\\nb\\0c\\0'", "2x sort -z", "tr '\\0' ,"}, {"--framing", "nul"}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "a\nb,c,");
    }
    SUBCASE("records of one size") {
        stages_run sut{{"printf aabbcc", "2x cat"}, {"--framing", "fixed:2"}};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "aabbcc");
    }
    SUBCASE("and say so when the last one is not complete") {
        stages_run sut{{"printf aabbc", "2x cat"}, {"--framing", "fixed:2"}};
        CHECK(sut.wait() == 65);
        CHECK(sut.says("the last message of framing fixed:2 is not complete: 1 bytes are left "));
    }
}

TEST_CASE("messages are cut where they end in every framing") {
    using namespace std::string_view_literals;
    using pipeline::stage::frames;
    const frames lines{parse_framing("lines")};
    CHECK(lines.first("ab\nc\nd") == 3);
    CHECK(lines.first("ab") == 0);
    CHECK(lines.whole("ab\nc\nd", 0) == 5);
    CHECK(lines.whole("abcd", 2) == 0);
    CHECK(lines.whole("abcd\n", 4) == 5);
    CHECK(lines.count("ab\nc\nd") == 2);
    const frames sized{parse_framing("length")};
    const auto two = "\1\0\0\0a\0\0\0\0\2\0\0\0b"sv;
    CHECK(sized.first(two) == 5);
    CHECK(sized.first("\1\0"sv) == 0);
    CHECK(sized.whole(two, 0) == 9);
    CHECK(sized.count(two) == 2);
    const frames fixed{parse_framing("fixed:2")};
    CHECK(fixed.whole("abcde", 0) == 4);
    CHECK(fixed.count("abcde") == 2);
}

TEST_CASE("stages are refused in one line if they cannot be run") {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"run", ""},
             {"run", "seq 5", "2x"},
             {"run", "seq 5", "0x cat"},
             {"run", "seq 5", "1000x cat"},
             {"run", "cat", "--producer", "true"},
             {"run", "cat", "--ring", "a"},
             {"run", "cat", "--lockstep"},
             {"run", "2x cat", "--keep-order"},
             {"run", "2x cat", "--lockstep", "--framing", "chunks:5"},
             {"run", "cat", "--framing", "words"}}) {
        program sut{"ringpipe", arguments};
        CHECK(sut.wait() == 64);
        CAPTURE(sut.err());
        CHECK(is_one_line(sut.err(), "ringpipe"));
    }
}

TEST_CASE("a count before a stage is only that") {
    using pipeline::parse_stage;
    CHECK(parse_stage("4x cat").copies == 4);
    CHECK(parse_stage(" 4x  cat -n").command == "cat -n");
    CHECK(parse_stage("4xcat").command == "4xcat");
    CHECK(parse_stage("x cat").command == "x cat");
    CHECK(parse_stage("4").command == "4");
    CHECK(parse_stage("1x cat").counted);
    CHECK_FALSE(parse_stage("cat").counted);
}
