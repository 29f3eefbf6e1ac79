// ringpipe run: the pair that a user would start by hand, started, signalled and waited for.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/launch.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

namespace fs = std::filesystem;

struct run_program : program {
    run_program(const std::string& producer, const std::string& consumer,
                std::vector<std::string> more = {}, const program_io& io = {})
        : program{"ringpipe", with(producer, consumer, std::move(more)), io} {}

  private:
    static std::vector<std::string> with(const std::string& producer, const std::string& consumer,
                                         std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(),
                         {"run", "--producer", producer, "--consumer", consumer});
        return arguments;
    }
};

std::string content_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// How many processes were started for the ring and run: each has its name in the environment.
// A zombie, which nobody has buried yet, has none.
int processes_of(const std::string& ring) {
    int count = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
        if (std::isdigit(static_cast<unsigned char>(entry.path().filename().string().front())) ==
            0) {
            continue;
        }
        const auto environment = '\0' + content_of(entry.path() / "environ");
        const auto variable = '\0' + ("RINGPIPE_RING=" + ring) + '\0';
        count += environment.find(variable) != std::string::npos ? 1 : 0;
    }
    return count;
}

bool flows(const std::string& ring) {
    return eventually([&] {
        try {
            const auto status = ring::open(ring, deadline::min()).status();
            return status.messages > 0 && status.consumers > 0;
        } catch (const error&) { return false; }
    });
}

bool says(const program& who, std::string_view what) {
    return who.err().find(what) != std::string::npos;
}

constexpr auto endless_producer = "yes | ringpipe-producer {ring}";
constexpr auto drain = "ringpipe-consumer {ring} --to /dev/null";

}  // namespace

TEST_CASE("run passes a file through, and leaves no ring behind") {
    const auto text = numbers(1, 50'000);
    const unique_file in{text};
    run_program sut{"ringpipe-producer {ring} " + in.path(),
                    "echo {ring} >&2; ringpipe-consumer {ring}"};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == text);
    const auto name = sut.err().substr(0, sut.err().find('\n'));
    CHECK(name.starts_with("run-"));
    CHECK_FALSE(fs::exists("/dev/shm/ringpipe." + name));
}

TEST_CASE("run gives the standard input to the producer, and none to the consumer") {
    program_io io;
    io.input = "one\ntwo\n";
    run_program sut{"ringpipe-producer {ring}", "cat; ringpipe-consumer {ring}", {}, io};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == "one\ntwo\n");
}

TEST_CASE("run starts as many consumers as asked for, and they share the messages") {
    const unique_file in{numbers(1, 30'000)};
    const unique_file outputs;
    run_program sut{"ringpipe-producer {ring} " + in.path(),
                    "ringpipe-consumer {ring} --to " + outputs.path() + ".{n}",
                    {"--consumers", "3"}};
    CHECK(sut.wait() == 0);
    std::vector<std::string> texts;
    for (const auto* number : {"1", "2", "3"}) {
        const auto file = outputs.path() + "." + number;
        CHECK(fs::exists(file));
        texts.push_back(content_of(file));
        fs::remove(file);
    }
    const auto all = sorted_numbers(texts);
    REQUIRE(all.size() == 30'000);
    CHECK(all.front() == 1);
    CHECK(all.back() == 30'000);
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("run uses the ring it is given, tells its name to the commands, and leaves it") {
    const unique_ring ring;
    run_program sut{"echo a | ringpipe-producer \"$RINGPIPE_RING\"",
                    "ringpipe-consumer {ring}; echo $RINGPIPE_NUMBER",
                    {"--ring", ring, "--capacity", "64KiB"}};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == "a\n1\n");
    REQUIRE(ring.exists());
    CHECK(ring::open(ring.str()).capacity() == 65536);
}

TEST_CASE("run says which consumer failed and how, and fails with its code") {
    const unique_file in{numbers(1, 1000)};
    run_program sut{"ringpipe-producer {ring} " + in.path(),
                    "if [ {n} = 2 ]; then exit 7; fi; ringpipe-consumer {ring} --to /dev/null",
                    {"--consumers", "2"}};
    CHECK(sut.wait() == 7);
    CHECK(sut.err() == "ringpipe: the consumer 2 failed: exit code 7\n");
}

TEST_CASE("run says which signal killed a command, and fails with 128 + signal") {
    run_program sut{"seq 10 | ringpipe-producer {ring}; kill -9 $$", drain};
    CHECK(sut.wait() == 137);
    CHECK(says(sut, "ringpipe: the producer failed: killed by signal 9 (KILL)\n"));
}

TEST_CASE("run fails with 3 when the stream was truncated and nobody else failed") {
    run_program sut{"ringpipe-producer {ring} --generate 1G & sleep 0.2; kill -9 $!; true", drain};
    CHECK(sut.wait() == 3);
    CHECK(says(sut, "ringpipe: the consumer failed: exit code 3 (a truncated stream)\n"));
}

TEST_CASE("run does not wait for ever when the producer never comes to the ring") {
    run_program sut{"true", drain};
    CHECK(sut.wait() == 69);
    CHECK(says(sut, "the producer has ended and was never at ring run-"));
}

TEST_CASE("run does not wait for ever when no consumer is left to make room") {
    SUBCASE("the consumer wanted no more: that is no failure, as with head") {
        run_program sut{endless_producer, "ringpipe-consumer {ring} --count 5"};
        CHECK(sut.wait() == 0);
        CHECK(sut.out() == "y\ny\ny\ny\ny\n");
        CHECK(sut.err() == "ringpipe: no consumer is left, so the producer is stopped\n");
    }
    SUBCASE("the consumer failed") {
        run_program sut{endless_producer, "nonsense"};
        CHECK(sut.wait() == 127);
        CHECK(says(sut, "the consumer failed: exit code 127 (command not found)"));
    }
}

TEST_CASE("run passes signals on, and nothing is left over") {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        CAPTURE(signal);
        const unique_ring ring;
        run_program sut{
            endless_producer, "ringpipe-consumer {ring} | cat >/dev/null", {"--ring", ring}};
        REQUIRE(flows(ring));
        CHECK(processes_of(ring) >= 4);
        sut.signal(signal);
        CHECK(sut.wait() == 128 + signal);
        CHECK(processes_of(ring) == 0);
    }
}

TEST_CASE("run removes its own ring also when it is interrupted") {
    const unique_file name;
    run_program sut{endless_producer, "echo {ring} >" + name.path() +
                                          "; exec ringpipe-consumer {ring} --to /dev/null"};
    REQUIRE(eventually([&] { return name.content().ends_with('\n'); }));
    const auto ring = name.content().substr(0, name.content().size() - 1);
    REQUIRE(flows(ring));
    sut.signal(SIGINT);
    CHECK(sut.wait() == 130);
    CHECK_FALSE(fs::exists("/dev/shm/ringpipe." + ring));
}

TEST_CASE("whoever kills run with SIGKILL ends the commands, too, and all they have started") {
    const unique_ring ring;
    run_program sut{
        endless_producer, "ringpipe-consumer {ring} | cat >/dev/null", {"--ring", ring}};
    REQUIRE(flows(ring));
    sut.signal(SIGKILL);
    CHECK(sut.wait() == 137);
    CHECK(eventually([&] { return processes_of(ring) == 0; }));
}

TEST_CASE("run waits for what a command has left in the background") {
    const unique_file late;
    run_program sut{
        "echo x | ringpipe-producer {ring}; (sleep 0.3; echo done >" + late.path() + ") &", drain};
    CHECK(sut.wait() == 0);
    CHECK(late.content() == "done\n");
}

TEST_CASE("run refuses what it does not understand, in one line") {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"run"},
             {"run", "--producer", "true"},
             {"run", "--producer", "true", "--consumer", "true", "--consumers", "0"},
             {"run", "--producer", "true", "--consumer", "true", "--capacity", "much"},
             {"run", "--producer", "true", "--consumer", "true", "--ring", "a\nb", "--capacity",
              "4096"},
             {"nonsense"},
             {}}) {
        program sut{"ringpipe", arguments};
        CHECK(sut.wait() == 64);
        CAPTURE(sut.err());
        CHECK(is_one_line(sut.err(), "ringpipe"));
    }
}

TEST_CASE("a ring's name becomes one word of the command, whatever is in it") {
    CHECK(pipeline::expand("p {ring} {n} {ring}", "jobs", 2) == "p jobs 2 jobs");
    CHECK(pipeline::expand("p {ring}", "it's mine", 1) == R"(p 'it'\''s mine')");
    CHECK(pipeline::expand("p {ring}", "{n}", 1) == "p '{n}'");
    CHECK(pipeline::shell_word("").size() == 2);
}
