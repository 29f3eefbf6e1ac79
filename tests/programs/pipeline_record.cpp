// `ringpipe record` and `replay`: a stream kept with its times and played again.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::test;

program run(std::vector<std::string> arguments) { return program{"ringpipe", arguments}; }

}  // namespace

TEST_CASE("what was recorded is replayed byte for byte in its order") {
    const unique_ring first;
    const unique_ring second;
    const unique_file file;
    const std::vector<std::string> texts{"one", "", std::string("a\0b\n", 4), pattern(5000)};
    {
        producer out{ring::create(first.str(), small(65536))};
        send_all(out, texts);
        out.close();
    }
    auto records = run({"record", first, file.path()});
    REQUIRE(records.wait() == 0);
    CHECK(records.err().starts_with("ringpipe: 4 messages, 4.9 KiB, in "));
    // It left no group behind that would hold producers back.
    CHECK(ring::open(first.str()).status().groups.empty());

    auto replays = run({"replay", file.path(), second, "--speed", "max"});
    REQUIRE(replays.wait() == 0);
    consumer in{ring::open(second.str())};
    CHECK(take_texts(in, 4) == texts);
    CHECK(status_after_last(in) == receive_status::end);
}

TEST_CASE("a replay takes the time that the stream took or as its speed says") {
    const unique_ring first;
    const unique_ring second;
    const unique_file file;
    constexpr auto pause = 300ms;
    {
        producer out{ring::create(first.str(), small(65536))};
        auto records = run({"record", first, file.path()});
        REQUIRE(first.has_consumers(1));
        send_all(out, {"one"});
        std::this_thread::sleep_for(pause);  // it is this pause that is recorded
        send_all(out, {"two"});
        out.close();
        REQUIRE(records.wait() == 0);
    }
    const stopwatch as_it_was;
    REQUIRE(run({"replay", file.path(), second}).wait() == 0);
    CHECK(as_it_was.elapsed() >= pause * 0.9);
    const stopwatch slower;
    REQUIRE(run({"replay", file.path(), second, "--speed", "0.5x"}).wait() == 0);
    CHECK(slower.elapsed() >= pause * 1.8);
}

TEST_CASE("a stopped or damaged replay leaves its stream truncated") {
    const unique_ring first;
    const unique_ring second;
    const unique_file file;
    {
        producer out{ring::create(first.str(), small(65536))};
        send_all(out, {"one", "two"});
        out.close();
    }
    REQUIRE(run({"record", first, file.path()}).wait() == 0);
    std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) - 1);
    auto replays = run({"replay", file.path(), second});
    CHECK(replays.wait() == 65);
    CHECK(is_one_line(replays.err(), "ringpipe"));
    consumer in{ring::open(second.str())};
    CHECK(take_texts(in, 1) == std::vector<std::string>{"one"});
    CHECK(status_after_last(in) == receive_status::truncated);
}

TEST_CASE("record ends with the stream or its count or a signal and keeps what it had") {
    const unique_ring name;
    const unique_file file;
    producer out{ring::create(name.str(), small(65536))};
    send_all(out, {"one", "two", "three"});
    CHECK(run({"record", name, file.path(), "--count", "2"}).wait() == 0);
    CHECK(file.content().find("two") != std::string::npos);
    CHECK(file.content().find("three") == std::string::npos);

    auto refused = run({"record", name, file.path()});
    CHECK(refused.wait() == 64);
    CHECK(is_one_line(refused.err(), "ringpipe"));
    auto stopped = run({"record", name, file.path(), "--force"});
    REQUIRE(eventually([&] { return file.content().find("three") != std::string::npos; }));
    stopped.signal(SIGINT);
    CHECK(stopped.wait() == 130);
    out.abandon();
    CHECK(run({"record", name, file.path(), "--force"}).wait() == 3);
}

TEST_CASE("record and replay say in one line what is wrong") {
    const unique_ring name;
    const unique_file not_a_recording{"hello, this is just a text of some length\n"};
    const unique_file empty;
    for (const auto& [arguments, code] : std::vector<std::pair<std::vector<std::string>, int>>{
             {{"record", name, empty.path()}, 66},
             {{"record", name}, 64},
             {{"replay", not_a_recording.path(), name}, 65},
             {{"replay", empty.path(), name}, 65},
             {{"replay", "/no/such/file", name}, 66},
             {{"replay", empty.path(), name, "--speed", "fast"}, 64},
             {{"replay", empty.path(), name, "--speed", "0"}, 64},
             {{"replay", empty.path(), name, "--speed", "-1"}, 64}}) {
        auto asked = run(arguments);
        CHECK(asked.wait() == code);
        CAPTURE(asked.err());
        CHECK(is_one_line(asked.err(), "ringpipe"));
        CHECK(asked.out().empty());
    }
}
