// ringpipe run -f pipeline.toml: merges, tees, and what is wrong with a file.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/programs/stages.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

constexpr auto simple = R"([[stage]]
command = "seq 1000"
to = "lines"
[[stage]]
command = "grep 99"
copies = 2
from = "lines"
)";

}  // namespace

TEST_CASE("a file's stages run with their copies and rings") {
    file_run sut{simple};
    CHECK(sut.run.wait() == 0);
    CHECK(sorted_numbers({sut.run.out()}).size() == 19);
    CHECK(sut.run.left_over().empty());
}

TEST_CASE("two stages that write to one ring are merged and two that read one get all of it") {
    const unique_file all;
    file_run sut{R"(
[ring.both]
capacity = "1MiB"
mode = "0600"
[[stage]]
command = "seq 1 1000"
to = "both"
[[stage]]
command = "seq 1001 2000"
to = "both"
[[stage]]
name = "keep"
command = "cat > )" +
                 all.path() + R"("
from = "both"
[[stage]]
name = "count"
command = "wc -l"
from = "both"
)"};
    CHECK(sut.run.wait() == 0);
    CHECK(sut.run.out() == "2000\n");
    CHECK(sorted_numbers({all.content()}) == sorted_numbers({numbers(1, 2000)}));
}

TEST_CASE("a last line that its stage does not end is not joined with a line of another") {
    file_run sut{R"(
[[stage]]
command = "printf a"
to = "both"
[[stage]]
command = "printf b"
to = "both"
[[stage]]
command = "sort"
from = "both"
)"};
    CHECK(sut.run.wait() == 0);
    CHECK(sut.run.out() == "a\nb\n");
}

TEST_CASE("stages of one group share its messages") {
    file_run sut{R"(
[[stage]]
command = "seq 1000"
to = "lines"
[[stage]]
command = "cat"
from = "lines"
to = "again"
group = "workers"
[[stage]]
command = "cat"
from = "lines"
to = "again"
group = "workers"
[[stage]]
command = "wc -l"
from = "again"
)"};
    CHECK(sut.run.wait() == 0);
    CHECK(sut.run.out() == "1000\n");
}

TEST_CASE("a reader that ends early does not hold back the others of its ring") {
    file_run sut{R"(
[[stage]]
command = "seq 3000000"
to = "lines"
[ring.lines]
capacity = "64KiB"
[[stage]]
command = "head -1 > /dev/null"
from = "lines"
[[stage]]
command = "tail -1"
from = "lines"
)"};
    CHECK(sut.run.wait() == 0);
    CHECK(sut.run.out() == "3000000\n");
}

TEST_CASE("a stage has its environment and folder and a lockstep one keeps the order") {
    file_run sut{R"(
[[stage]]
command = "echo $WHAT; pwd; cat"
to = "lines"
directory = "/usr"
environment = { WHAT = "that" }
[[stage]]
command = "sed -u s/x/y/"
copies = 2
lockstep = true
keep-order = true
from = "lines"
)",
                 {},
                 {.input = "x\nz\n"}};
    CHECK(sut.run.wait() == 0);
    CHECK(sut.run.out() == "that\n/usr\ny\nz\n");
}

TEST_CASE("a source is started again only if the file says so") {
    const unique_file second_life;
    file_run sut{"[[stage]]\ncommand = '''if [ -s " + second_life.path() + " ]; then seq 5; else " +
                 "echo x > " + second_life.path() + "; exit 9; fi'''\nrestart = 1\nto = \"a\"\n" +
                 "[[stage]]\ncommand = \"wc -l\"\nfrom = \"a\"\n"};
    CHECK(sut.run.wait() == 0);
    CHECK(sut.run.out() == "5\n");
    CHECK(sut.run.says(" is started again, 1 of 1: exit code 9\n"));
}

TEST_CASE("what would be started can be seen without starting it") {
    file_run sut{simple, {"--print"}};
    CHECK(sut.run.wait() == 0);
    CHECK(sut.run.err().empty());
    CHECK(sut.run.out() ==
          "ring lines: 16 MiB\n"
          "ring 2.answers: 16 MiB\n"
          "stage 1: seq 1000\n"
          "  from standard input\n"
          "  to ring lines\n"
          "stage 2: 2x grep 99\n"
          "  from ring lines as group 2\n"
          "  to ring 2.answers\n"
          "  3 restarts of each copy\n"
          "stage 2's answers: (joins what the copies write)\n"
          "  from ring 2.answers as group default\n"
          "  to standard output\n");
}

TEST_CASE("a mistake in a file is said with its line and key and nothing is started") {
    const std::string cat = "[[stage]]\ncommand = \"cat\"\n";
    CHECK(mistake_in(cat + "copies = 0\n") == "3: stage.copies: 0 is not within 1 and 100");
    CHECK(mistake_in(cat + "copies = \"two\"\n") == "3: stage.copies: this has to be a number");
    CHECK(mistake_in(cat + "copy = 2\n").starts_with("3: stage.copy: there is no such key; "));
    CHECK(mistake_in("[[stage]]\nname = \"a\"\n") ==
          "1: stage.command: it is missing; every stage has one");
    CHECK(mistake_in(cat + "keep-order = true\n").starts_with("3: stage.keep-order: it needs "));
    CHECK(mistake_in(cat + "framing = \"words\"\n").starts_with("3: stage.framing: cannot use "));
    CHECK(mistake_in(cat + "environment = { A = 1 }\n") ==
          "3: stage.environment.A: this has to be a text in quotes");
    CHECK(mistake_in(cat + "[ring.a]\ncapacity = \"much\"\n").starts_with("4: ring.a.capacity: "));
    CHECK(mistake_in(cat + "[ring.a]\nmode = \"rw\"\n").starts_with("4: ring.a.mode: "));
    CHECK(mistake_in("stage = 5\n") == "1: stage: write [[stage]] before each of them");
    CHECK(mistake_in(cat + "name = \"a\"\n" + cat + "name = \"a\"\n") ==
          "6: stage.name: another stage is called 'a', too");
    CHECK(mistake_in("[[stage]\n").starts_with("1: "));
}

TEST_CASE("rings and stages that do not fit together are refused") {
    const std::string cat = "[[stage]]\ncommand = \"cat\"\n";
    CHECK(mistake_in(cat + "[ring.a]\n") == "3: ring.a: no stage uses this ring");
    CHECK(mistake_in(cat + "to = \"a\"\n") == "1: ring.a: no stage reads this ring");
    CHECK(mistake_in(cat + "from = \"a\"\n") == "1: ring.a: no stage writes to this ring");
    CHECK(mistake_in(cat + "to = \"in\"\n" + cat + "from = \"in\"\nto = \"a\"\n" + cat +
                     "from = \"a\"\nto = \"b\"\n" + cat + "from = \"b\"\nto = \"a\"\n") ==
          " the stages 3 -> 4 -> 3 wait for each other's end for ever; a pipeline has no cycle");
}

TEST_CASE("run -f refuses what it cannot use in one line") {
    const unique_file file{simple};
    for (const auto& [arguments, code] : std::vector<std::pair<std::vector<std::string>, int>>{
             {{"run", "-f", "/no/such/file"}, 66},
             {{"run", "-f", file.path(), "cat"}, 64},
             {{"run", "-f", file.path(), "--lockstep"}, 64},
             {{"run", "-f", file.path(), "--producer", "true"}, 64}}) {
        program sut{"ringpipe", arguments};
        CHECK(sut.wait() == code);
        CAPTURE(sut.err());
        CHECK(is_one_line(sut.err(), "ringpipe"));
    }
}
