// ringpipe scale: copies of a stage come and go while it works.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/programs/stages.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

constexpr std::string_view sleeping{"sleep\0001000", 10};

// Lines in blocks, until it is told that they are enough.
class endless {
  public:
    [[nodiscard]] std::string command() const {
        return "i=0; while [ ! -s " + enough_.path() +
               " ]; do seq ${i}000 ${i}499; i=$((i + 1)); sleep 0.005; done | tee " + sent_.path();
    }
    void end() const { std::ofstream{enough_.path()} << "enough"; }
    [[nodiscard]] std::string sent() const { return sent_.content(); }
    [[nodiscard]] const std::string& told() const { return enough_.path(); }

  private:
    unique_file enough_;
    unique_file sent_;
};

std::string ring_of(const stages_run& run, std::string_view name) {
    for (const auto& each : run.left_over()) {
        if (each.ends_with("-" + std::string{name})) { return each; }
    }
    FAIL("the run has no ring " << name);
    return {};
}

// The names of those who have taken something from the ring's default group, and are still there.
std::set<std::string> workers_at(const std::string& ring) {
    std::set<std::string> names;
    for (const auto& each : ring::open(ring).status().members) {
        if (each.group == "default" && each.messages > 0) { names.insert(each.name); }
    }
    return names;
}

std::string sorted(const std::string& lines) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < lines.size();) {
        const auto end = lines.find('\n', at) + 1;
        all.push_back(lines.substr(at, end - at));
        at = end;
    }
    std::sort(all.begin(), all.end());
    std::string text;
    for (const auto& each : all) { text += each; }
    return text;
}

struct scale_program : program {
    scale_program(const std::string& target, const std::string& copies,
                  const std::vector<std::string>& more = {})
        : program{"ringpipe", with(target, copies, more)} {}

  private:
    static std::vector<std::string> with(const std::string& target, const std::string& copies,
                                         std::vector<std::string> words) {
        words.insert(words.begin(), {"scale", target, copies});
        return words;
    }
};

// One line on the standard output, or of an error.
void check_scaled(const std::string& target, const std::string& copies, const std::string& line) {
    scale_program sut{target, copies};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == line + "\n");
    CHECK(sut.err().empty());
}

}  // namespace

TEST_CASE("copies of a stage come and go under load and nothing is lost or comes twice") {
    const endless source;
    bool in_order = false;
    std::vector<std::string> stages{source.command()};
    std::vector<std::string> more;
    std::string first = "stage 2";
    SUBCASE("of a filter at the end of the pipe") { stages.emplace_back("1x cat"); }
    SUBCASE("of a filter in the middle that was written without a count") {
        stages.insert(stages.end(), {"cat", "cat"});
    }
    SUBCASE("of several in lockstep whose order is kept") {
        stages.insert(stages.end(), {"2x sed -u s/x/y/", "cat"});
        more = {"--lockstep", "--keep-order", "--block", "1KiB", "--capacity", "64KiB"};
        in_order = true;
        first = "stage 2.1";
    }
    stages_run sut{stages, more};
    REQUIRE(sut.flows());
    const auto ring = ring_of(sut, "1");
    const auto target = ring + "/default";
    const auto before = first == "stage 2" ? "1" : "2";
    check_scaled(target, "4", std::string{"stage 2: 4 copies, before "} + before);
    CHECK(eventually([&] { return workers_at(ring).size() == 4; }));
    check_scaled(target, "1", "stage 2: 1 copies, before 4");
    CHECK(sut.copies_of("stage 2.").size() == (first == "stage 2" ? 0 : 1));
    CHECK(eventually([&] { return workers_at(ring) == std::set<std::string>{first}; }));
    check_scaled(target, "3", "stage 2: 3 copies, before 1");
    // Their numbers are new, so that what the old ones have written stays theirs.
    CHECK(eventually([&] {
        return workers_at(ring) == std::set<std::string>{first, "stage 2.5", "stage 2.6"};
    }));
    check_scaled(target, "3", "stage 2: 3 copies, as before");
    source.end();
    CHECK(sut.wait() == 0);
    CHECK(sut.err().empty());
    // Not CHECK(a == b): it would print megabytes.
    const bool same =
        in_order ? sut.out() == source.sent() : sorted(sut.out()) == sorted(source.sent());
    CHECK(same);
    CHECK(sut.left_over().empty());
}

TEST_CASE("a copy that leaves gives the answers that its filter keeps back") {
    const unique_file enough;
    stages_run sut{{"for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.05; done; while [ ! -s " +
                        enough.path() + " ]; do sleep 0.01; done",
                    "2x sed s/^/a/", "cat"},
                   {"--lockstep", "--keep-order", "--block", "2"}};
    REQUIRE(eventually([&] { return !sut.left_over().empty(); }));
    const auto ring = ring_of(sut, "1");
    REQUIRE(eventually([&] { return ring::open(ring).status().messages == 8; }));
    check_scaled(ring + "/default", "1", "stage 2: 1 copies, before 2");
    CHECK(sut.copies_of("stage 2.").size() == 1);
    std::ofstream{enough.path()} << "enough";
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == "a1\na2\na3\na4\na5\na6\na7\na8\n");
}

TEST_CASE("scale waits for a copy that leaves no longer than it is told to") {
    const endless source;
    stages_run sut{{source.command(), "1x cat; sleep 1000"}};
    REQUIRE(sut.flows());
    const auto ring = ring_of(sut, "1");
    check_scaled(ring + "/default", "2", "stage 2: 2 copies, before 1");
    REQUIRE(eventually([&] { return workers_at(ring).size() == 2; }));
    scale_program less{ring + "/default", "1", {"--timeout", "300ms"}};
    CHECK(less.wait() == 75);
    CHECK(is_one_line(less.err(), "ringpipe"));
    CHECK(less.err().find("the order stands") != std::string::npos);
    // Its filter is asked to end by the end of its input, and does not.
    CHECK(eventually([&] { return workers_at(ring) == std::set<std::string>{"stage 2"}; }));
    // One that leaves is none of the copies any more.
    check_scaled(ring + "/default", "2", "stage 2: 2 copies, before 1");
    sut.signal(SIGINT);
    REQUIRE(eventually([&] { return sut.says("once more"); }));
    sut.signal(SIGINT);
    CHECK(sut.wait() == 130);
    CHECK(sut.left_over().empty());
    CHECK(sut.processes() == 0);
}

TEST_CASE("a copy that is killed as it leaves in lockstep has its work done by the others") {
    const endless source;
    stages_run sut{{source.command(), "2x while read -r x; do echo $x; done; sleep 1000", "cat"},
                   {"--lockstep", "--keep-order", "--block", "64", "--capacity", "64KiB"}};
    REQUIRE(sut.flows());
    const auto ring = ring_of(sut, "1");
    REQUIRE(eventually([&] { return workers_at(ring).size() == 2; }));
    scale_program less{ring + "/default", "1"};
    // It has given its filter the end of the input, which does not end.
    REQUIRE(eventually([&] {
        const auto copies = sut.copies_of("stage 2.2");
        return copies.size() == 1 && sut.running(sleeping).size() == 1;
    }));
    for (const auto copy : sut.copies_of("stage 2.2")) { ::kill(copy, SIGKILL); }
    CHECK(less.wait() == 0);
    source.end();
    REQUIRE(eventually([&] { return sut.running(sleeping).size() == 1; }));
    for (const auto filter : sut.running(sleeping)) { ::kill(filter, SIGTERM); }
    CHECK(sut.wait() == 143);  // for the filter that we have ended
    const bool same = sut.out() == source.sent();
    CHECK(same);
    CHECK_FALSE(sut.says("stage 2.2"));
}

TEST_CASE("a consumer that is started by hand shares the work of a stage") {
    const endless source;
    stages_run sut{{source.command(), "1x cat"}};
    REQUIRE(sut.flows());
    const auto ring = ring_of(sut, "1");
    const unique_file taken;
    consumer_program by_hand{{ring, "--framing", "chunks:64KiB", "--to", taken.path()}};
    CHECK(eventually([&] { return workers_at(ring).size() == 2; }));
    source.end();
    CHECK(by_hand.wait() == 0);
    CHECK(sut.wait() == 0);
    CHECK_FALSE(taken.content().empty());
    const bool same = sorted(sut.out() + taken.content()) == sorted(source.sent());
    CHECK(same);
}

TEST_CASE("scale refuses what cannot be in one line that says why") {
    const endless source;
    const unique_ring alone;
    (void)ring::create(alone.str());
    stages_run sut{{source.command(), "2x cat", "1x cat", "cat > /dev/null"}};
    REQUIRE(sut.flows());
    const auto first = ring_of(sut, "1");
    const auto last = ring_of(sut, "3");
    struct mistake {
        std::string target;
        std::string copies;
        int code;
        std::string why;
    };
    for (const auto& one : std::vector<mistake>{
             {first + "/default", "0", 64, "1 to 100"},
             {first + "/default", "101", 64, "1 to 100"},
             {first + "/default", "many", 64, "many"},
             {first, "2", 64, "write RING/GROUP"},
             {first + "/", "2", 64, "write RING/GROUP"},
             {"no-such-ring/default", "2", 66, "no-such-ring"},
             {alone.str() + "/default", "2", 66, "no ringpipe run that is under way has it"},
             {first + "/other", "2", 66, "those that read it: default (stage 2)"},
             {last + "/default", "2", 69, "stage 4 writes the standard output itself"}}) {
        scale_program refused{one.target, one.copies};
        CAPTURE(one.target);
        CAPTURE(refused.err());
        CHECK(refused.wait() == one.code);
        CHECK(is_one_line(refused.err(), "ringpipe"));
        CHECK(refused.err().find(one.why) != std::string::npos);
        CHECK(refused.out().empty());
    }
    CHECK(sut.copies_of("stage 2.").size() == 2);
    source.end();
    CHECK(sut.wait() == 0);
}

TEST_CASE("scale says that a stage has ended and that a run has") {
    const unique_file enough;
    stages_run sut{{"seq 5", "1x cat",
                    "cat >/dev/null; while [ ! -s " + enough.path() + " ]; do sleep 0.01; done"}};
    REQUIRE(eventually([&] { return !sut.left_over().empty(); }));
    const auto target = ring_of(sut, "1") + "/default";
    std::string err;
    CHECK(eventually([&] {
        scale_program sut_scale{target, "1"};
        const int code = sut_scale.wait();
        err = sut_scale.err();
        return code == 69;
    }));
    CHECK(err == "ringpipe: stage 2 has ended\n");
    std::ofstream{enough.path()} << "enough";
    CHECK(sut.wait() == 0);
    scale_program late{target, "2"};
    CHECK(late.wait() == 66);
    CHECK(is_one_line(late.err(), "ringpipe"));
}

TEST_CASE("only the user of a run may scale it") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: needs root, to become somebody else");
        return;
    }
    const endless source;
    file_run sut{"[ring.lines]\nmode = \"0666\"\n[[stage]]\nto = \"lines\"\ncommand = '''" +
                 source.command() +
                 "'''\n[[stage]]\nname = \"work\"\ncommand = \"cat\"\ncopies = 1\n" +
                 "from = \"lines\"\n"};
    REQUIRE(sut.run.flows());
    const auto target = ring_of(sut.run, "lines") + "/work";
    program other{"ringpipe",
                  {"scale", target, "2"},
                  {.prefix = {"/usr/bin/setpriv", "--reuid", "65534", "--clear-groups"}}};
    CHECK(other.wait() == 77);
    CHECK(is_one_line(other.err(), "ringpipe"));
    CHECK(other.err().find("is another user's") != std::string::npos);
    check_scaled(target, "2", "work: 2 copies, before 1");
    source.end();
    CHECK(sut.run.wait() == 0);
}
