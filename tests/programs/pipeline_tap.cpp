// `ringpipe tap`: what passes, without taking part.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/program.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::test;

answer tap(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "tap");
    return ask(arguments);
}

// A ring with these in it, whose stream has ended.
void fill_ring(const unique_ring& name, const std::vector<std::string>& texts) {
    producer out{ring::create(name.str(), small(65536))};
    send_all(out, texts);
    out.close();
}

}  // namespace

TEST_CASE("tap shows the messages that are there and ends with the stream") {
    const unique_ring name;
    fill_ring(name, {"one", "two", "three"});
    const auto all = tap({name, "--from", "earliest"});
    CHECK(all.code == 0);
    CHECK(all.out == "one\ntwo\nthree\n");
    CHECK(all.err == "");
    CHECK(tap({name}).out == "");
    // And nobody has lost any.
    consumer in{ring::open(name.str())};
    CHECK(take_texts(in, 3) == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("tap selects by pattern and by number and writes in any framing") {
    const unique_ring name;
    const std::string large(std::size_t{200} << 10U, 'a');
    {
        producer out{ring::create(name.str(), small(std::uint64_t{1} << 20U))};
        send_all(out, {"error 1", "fine", std::string{"a\0error 2", 9}, large, "WARN"});
        out.close();
    }
    CHECK(tap({name, "--from", "earliest", "--grep", "error|WARN", "--framing", "nul"}).out ==
          std::string{"error 1\0a\0error 2\0WARN\0", 23});
    CHECK(tap({name, "--from", "earliest", "--grep", "^a*$"}).out == large + "\n");
    const auto two = tap({name, "--from", "earliest", "--count", "2"});
    CHECK(two.code == 0);
    CHECK(two.out == "error 1\nfine\n");
}

TEST_CASE("tap follows a living stream, leaves out what is beyond its rate, and is stopped") {
    const unique_ring name;
    producer out{ring::create(name.str(), small(65536))};
    send_all(out, {"a", "b", "c"});
    program slow{"ringpipe", {"tap", name, "--from", "earliest", "--rate", "1/s"}};
    REQUIRE(eventually([&] { return slow.out() == "a\n"; }));
    slow.signal(SIGINT);
    CHECK(slow.wait() == 130);
    CHECK(slow.out() == "a\n");
}

TEST_CASE("tap says how many messages it missed") {
    const unique_ring name;
    const auto where = ring::create(name.str(), small(4096));
    where.add_group("default");
    producer out{where};
    consumer in{where};
    program slow{"ringpipe", {"tap", name, "--from", "earliest", "--framing", "nul"}};
    send_all(out, {"first"});
    REQUIRE(eventually([&] { return slow.out() == std::string("first\0", 6); }));
    slow.signal(SIGSTOP);
    for (int i = 0; i < 100; ++i) {
        send_all(out, {pattern(500)});
        REQUIRE(in.receive_for(patience));
        in.acknowledge();
    }
    out.close();
    slow.signal(SIGCONT);
    CHECK(slow.wait() == 0);
    CAPTURE(slow.err());
    CHECK(slow.err().find("missed") != std::string::npos);
}

TEST_CASE("tap tells of a truncated stream as a consumer does") {
    const unique_ring name;
    producer out{ring::create(name.str(), small())};
    send_all(out, {"half"});
    out.abandon();
    const auto seen = tap({name, "--from", "earliest"});
    CHECK(seen.code == 3);
    CHECK(seen.out == "half\n");
    CHECK(is_one_line(seen.err, "ringpipe"));
}

TEST_CASE("tap says in one line what is wrong with its arguments") {
    const unique_ring name;
    for (const auto& [arguments, code] : std::vector<std::pair<std::vector<std::string>, int>>{
             {{name}, 66},
             {{}, 64},
             {{name, "--grep", "(a"}, 64},
             {{name, "--rate", "0"}, 64},
             {{name, "--rate", "fast"}, 64},
             {{name, "--count", "-1"}, 64},
             {{name, "--framing", "words"}, 64}}) {
        const auto result = tap(arguments);
        CAPTURE(result.err);
        CHECK(result.code == code);
        CHECK(result.out.empty());
        CHECK(is_one_line(result.err, "ringpipe"));
    }
}
