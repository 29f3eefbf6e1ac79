// ringpipe run --resume: the launcher and all its processes are killed, and the run goes on.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/programs/stages.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// A run's name; its rings are gone afterwards.
struct run_name {
    run_name() = default;
    run_name(const run_name&) = delete;
    run_name& operator=(const run_name&) = delete;
    ~run_name() {
        for (const auto& ring : rings()) { ring::remove(ring); }
    }
    [[nodiscard]] std::vector<std::string> rings() const {
        std::vector<std::string> mine;
        for (auto& each : ring::list()) {
            if (each.starts_with(name.str() + "-")) { mine.push_back(std::move(each)); }
        }
        return mine;
    }
    [[nodiscard]] std::vector<std::string> options(std::vector<std::string> more = {}) const {
        more.insert(more.end(),
                    {"--name", name.str(), "--lockstep", "--block", "1KiB", "--capacity", "16KiB"});
        return more;
    }

    unique_name name;
};

}  // namespace

TEST_CASE("a killed run goes on where it was and only what was being written comes twice") {
    const run_name name;
    const auto text = numbers(1, 400'000);
    const unique_file file{text};
    const std::vector<std::string> stages{"cat " + file.path(), "2x sed -u s/x/y/",
                                          "2x sed -u s/x/y/"};
    std::string passed;
    bool resumed = false;
    for (int life = 0;; ++life) {
        REQUIRE(life < 50);
        stages_run sut{stages, name.options(resumed ? std::vector<std::string>{"--resume"}
                                                    : std::vector<std::string>{})};
        resumed = true;
        if (life < 5) {
            // After a while of output, so that each life gets on.
            const bool gets_on = eventually([&] { return sut.out().size() > 20'000; });
            CAPTURE(life);
            CAPTURE(sut.out().size());
            CAPTURE(sut.err());
            REQUIRE(gets_on);
            sut.signal(SIGKILL);
            CHECK(sut.wait() == 137);
            REQUIRE(eventually([&] { return sut.processes() == 0; }));
            CHECK_FALSE(name.rings().empty());
        } else {
            CHECK(sut.wait() == 0);
            CAPTURE(sut.err());
        }
        // The output is a part of the text that begins at the latest where the last one has ended.
        const auto out = sut.out();
        const auto first = out.substr(0, out.find('\n') + 1);
        const auto at = ("\n" + text).find("\n" + first);
        REQUIRE(at != std::string::npos);
        const bool the_text = text.compare(at, out.size(), out) == 0;
        REQUIRE(the_text);
        REQUIRE(at <= passed.size());
        CHECK(passed.size() - at <= 2048);
        passed = text.substr(0, at + out.size());
        if (life == 5) { break; }
    }
    const bool whole = passed == text;
    CHECK(whole);
    CHECK(name.rings().empty());
}

TEST_CASE("a run that is stopped at once keeps what is not done if it has a name") {
    const run_name name;
    const unique_file file{numbers(1, 20'000)};
    const std::vector<std::string> stages{"cat " + file.path(), "2x sed -u s/x/y/"};
    stages_run sut{{stages[0], "1x while read -r line; do sleep 0.001; echo $line; done"},
                   name.options()};
    REQUIRE(eventually([&] { return !sut.out().empty(); }));
    sut.signal(SIGINT);
    REQUIRE(eventually([&] { return sut.says("once more"); }));
    sut.signal(SIGINT);
    CHECK(sut.wait() == 130);
    CHECK(
        sut.says("ringpipe: what is not done is kept; go on with --resume, or remove the rings "));
    stages_run again{{stages[0], "1x sed -u s/x/y/"}, name.options({"--resume"})};
    CHECK(again.wait() == 0);
    CHECK(again.out().ends_with("\n20000\n"));
    CHECK(name.rings().empty());
}

TEST_CASE("messages of a named run have room for the number by which it resumes") {
    constexpr std::size_t most = 65536 - 32 - 8;
    const run_name name;
    std::vector<std::string> with{"--name", name.name.str(), "--capacity", "64KiB"};
    std::vector<std::string> stages{"cat", "1x cat", "cat"};
    SUBCASE("of many lines") {
        const auto text = numbers(1, 100'000);
        stages_run sut{stages, with, {.input = text}};
        CHECK(sut.wait() == 0);
        CHECK(sut.err().empty());
        const bool same = sut.out() == text;
        CHECK(same);
    }
    SUBCASE("and one line that is as long as can be") {
        SUBCASE("in bulk") {}
        SUBCASE("in lockstep") {
            with.emplace_back("--lockstep");
            stages[1] = "1x sed -u s/x/x/";
        }
        const auto line = std::string(most - 1, 'x') + "\n";
        stages_run sut{stages, with, {.input = "a\n" + line + "b\n"}};
        CHECK(sut.wait() == 0);
        CHECK(sut.err().empty());
        const bool same = sut.out() == "a\n" + line + "b\n";
        CHECK(same);
    }
    SUBCASE("which a line that is longer is told") {
        stages_run sut{stages, with, {.input = std::string(most, 'x') + "\n"}};
        CHECK(sut.wait() == 65);
        CHECK(sut.says("stage 1: a line is longer than the 65496 bytes that the ring takes; "));
    }
    CHECK(name.rings().empty());
}

TEST_CASE("a name that is taken and a run that cannot be resumed are said") {
    const run_name name;
    SUBCASE("the rings are there already") {
        const auto taken = ring::create(name.name.str() + "-1");
        stages_run sut{{"cat", "1x cat"}, name.options()};
        CHECK(sut.wait() == 73);
        CHECK(is_one_line(sut.err(), "ringpipe"));
        CHECK(sut.says("cannot start the run " + name.name.str() + ": its ring " + name.name.str() +
                       "-1 is there already"));
        CHECK(sut.processes() == 0);
        CHECK(name.rings().size() == 1);
    }
    SUBCASE("nothing is there") {
        stages_run sut{{"cat", "1x cat"}, name.options({"--resume"})};
        CHECK(sut.wait() == 66);
        CHECK(sut.says("cannot resume " + name.name.str() + ": none of its rings is there\n"));
    }
    SUBCASE("no name") {
        stages_run sut{{"cat", "1x cat"}, {"--resume"}};
        CHECK(sut.wait() == 64);
        CHECK(is_one_line(sut.err(), "ringpipe"));
    }
    SUBCASE("the source has become shorter") {
        const unique_file file{numbers(1, 20'000)};
        {
            stages_run sut{{"cat " + file.path(), "1x sed -u s/x/y/"}, name.options()};
            REQUIRE(eventually([&] { return sut.out().size() > 10'000; }));
            sut.signal(SIGKILL);
            CHECK(sut.wait() == 137);
        }
        stages_run sut{{"echo 1", "1x sed -u s/x/y/"}, name.options({"--resume"})};
        CHECK(sut.wait() == 65);
        CHECK(sut.says("stage 1: cannot go on behind byte "));
    }
}
