// ringpipe ls, stat and rm, on rings that are good, missing, foreign, damaged.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "common/temporary_folder.hpp"
#include "tests/support/program.hpp"
#include "tests/support/said.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// The line of `ls` about this ring, as words; other rings are other people's.
std::vector<std::string> listed(const std::string& ring) {
    std::istringstream lines{ask({"ls"}).out};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream in{line};
        std::vector<std::string> words;
        for (std::string word; in >> word;) { words.push_back(word); }
        if (!words.empty() && words.front() == ring) { return words; }
    }
    return {};
}

std::optional<nlohmann::json> listed_json(const std::string& ring) {
    for (const auto& one : nlohmann::json::parse(ask({"ls", "--json"}).out)) {
        if (one["name"] == ring) { return one; }
    }
    return std::nullopt;
}

// Three messages of five bytes; the group `mine` has read one.
void fill_ring(const std::string& name) {
    const auto ring = ringpipe::ring::create(name, small(65536));
    ring.add_group("mine");
    ring.add_group("yours");
    producer out{ring};
    send_all(out, {"first", "secnd", "third"});
    consumer_options options;
    options.group = "mine";
    consumer in{ring, options};
    REQUIRE(take(in, 1).size() == 1);
    in.close();
    out.close();
}

void write_foreign(const std::string& path) {
    std::ofstream{path} << "somebody's diary, not a ring\n";
}

}  // namespace

TEST_CASE("ls lists a ring with its state, its size and its groups") {
    const unique_ring ring;
    fill_ring(ring);
    const auto words = listed(ring);
    REQUIRE(words.size() == 10);
    CHECK(words[1] == "ended");
    CHECK(words[2] + words[3] == "64KiB");
    CHECK(words[6] == "3");
    CHECK(words[7] == "0");
    CHECK(words[8] == "0");
    CHECK(words[9] == "mine,yours");
    const auto json = listed_json(ring);
    REQUIRE(json);
    CHECK((*json)["messages"] == 3);
}

TEST_CASE("ls counts the living, and says open, truncated or new") {
    const unique_ring ring;
    const auto made = ringpipe::ring::create(ring.str(), small());
    CHECK(listed(ring)[1] == "new");
    producer out{made};
    CHECK(listed(ring)[1] == "open");
    CHECK((*listed_json(ring))["producers"] == 1);
    out.abandon();
    CHECK(listed(ring)[1] == "truncated");
}

TEST_CASE("ls lists what is no ring as unusable, and says why") {
    const unique_ring ring;
    write_foreign(ring.path());
    const auto words = listed(ring);
    REQUIRE(words.size() >= 2);
    CHECK(words[1] == "unusable");
    const auto json = listed_json(ring);
    REQUIRE(json);
    CHECK((*json)["error"].get<std::string>().find("something else") != std::string::npos);
}

TEST_CASE("stat shows groups and members, as text and as JSON") {
    const unique_ring ring;
    fill_ring(ring);
    producer_options options;
    options.name = "the-one";
    const producer out{ringpipe::ring::open(ring.str()), options};

    const auto text = ask({"stat", ring});
    CHECK(text.code == 0);
    CAPTURE(text.out);
    for (const auto* word :
         {"state       open", "sent        3 messages", "mine", "yours", "the-one", "running"}) {
        CHECK(text.out.find(word) != std::string::npos);
    }

    const auto json = nlohmann::json::parse(ask({"stat", ring, "--json"}).out);
    CHECK(json["name"] == ring.str());
    CHECK(json["path"] == ring.path());
    CHECK(json["state"] == "open");
    CHECK(json["capacity_bytes"] == 65536);
    CHECK(json["used_bytes"] > 0);
    CHECK(json["messages"] == 3);
    CHECK(json["producers"] == 1);
    CHECK(json["ended"] == false);
    REQUIRE(json["groups"].size() == 2);
    for (const auto& group : json["groups"]) {
        CHECK(group["lag_messages"] == (group["name"] == "mine" ? 2 : 3));
        CHECK(group["kind"] == "durable");
    }
    REQUIRE(json["members"].size() == 1);
    CHECK(json["members"][0]["role"] == "producer");
    CHECK(json["members"][0]["name"] == "the-one");
    CHECK(json["members"][0]["pid"] == ::getpid());
}

TEST_CASE("stat finds a ring by the path of its file") {
    const temporary_folder folder;
    const std::string path = folder.path() / "ring";
    { const auto ring = ringpipe::ring::create(path, small()); }
    CHECK(ask({"stat", path}).code == 0);
    CHECK(ask({"rm", path}).code == 0);
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("stat says in one line what is wrong with a ring") {
    const unique_ring ring;
    int expected = 0;
    SUBCASE("missing") { expected = 66; }
    SUBCASE("foreign") {
        write_foreign(ring.path());
        expected = 78;
    }
    SUBCASE("truncated") {
        fill_ring(ring);
        REQUIRE(::truncate(ring.path().c_str(), 8192) == 0);
        expected = 65;
    }
    SUBCASE("empty, as a creator leaves it that was killed") {
        std::ofstream{ring.path()};
        expected = 69;
    }
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"stat", ring}, {"stat", ring, "--json"}}) {
        const auto result = ask(arguments);
        CAPTURE(result.err);
        CHECK(result.code == expected);
        CHECK(result.out.empty());
        CHECK(is_one_line(result.err, "ringpipe"));
    }
}

TEST_CASE("rm removes rings, also those that cannot be used any more") {
    const unique_ring ring;
    SUBCASE("good") { fill_ring(ring); }
    SUBCASE("truncated") {
        fill_ring(ring);
        REQUIRE(::truncate(ring.path().c_str(), 8192) == 0);
    }
    SUBCASE("empty") { std::ofstream{ring.path()}; }
    const auto result = ask({"rm", ring});
    CAPTURE(result.err);
    CHECK(result.code == 0);
    CHECK(result.out.empty());
    CHECK(result.err.empty());
    CHECK_FALSE(ring.exists());
}

TEST_CASE("rm says what is missing, and removes the others") {
    const unique_ring missing;
    const unique_ring ring;
    fill_ring(ring);
    const auto result = ask({"rm", missing, ring});
    CHECK(result.code == 66);
    CHECK(is_one_line(result.err, "ringpipe"));
    CHECK_FALSE(ring.exists());
}

TEST_CASE("rm never removes a file that is no ring") {
    const unique_ring ring;
    write_foreign(ring.path());
    CHECK(ask({"rm", ring}).code == 78);
    CHECK(ask({"rm", "--force", ring}).code == 78);
    CHECK(ring.exists());
}

TEST_CASE("rm refuses while members are alive, unless it is forced") {
    const unique_ring ring;
    const auto made = ringpipe::ring::create(ring.str(), small());
    producer out{made};
    const auto result = ask({"rm", ring});
    CHECK(result.code == 69);
    CHECK(result.err.find("1 of its members is alive") != std::string::npos);
    CHECK(ring.exists());
    CHECK(ask({"rm", "--force", ring}).code == 0);
    CHECK_FALSE(ring.exists());
    // Who is attached keeps what he has.
    CHECK(out.try_send(bytes("still here")));
}

TEST_CASE("rm --group removes a group, but not one with a member") {
    const unique_ring ring;
    fill_ring(ring);
    CHECK(ask({"rm", ring, "--group", "yours"}).code == 0);
    CHECK((*listed_json(ring))["groups"].size() == 1);
    CHECK(ask({"rm", ring, "--group", "yours"}).code == 66);

    consumer_options options;
    options.group = "mine";
    const consumer in{ringpipe::ring::open(ring.str()), options};
    const auto result = ask({"rm", ring, "--group", "mine"});
    CHECK(result.code == 69);
    CHECK(is_one_line(result.err, "ringpipe"));
    CHECK(ring.exists());
}

TEST_CASE("help and version are answered on standard output") {
    CHECK(ask({"--version"}).out.starts_with("ringpipe "));
    for (const auto* command : {"run", "demo", "ls", "stat", "dead", "rm"}) {
        const auto by_option = ask({command, "--help"});
        CHECK(by_option.code == 0);
        CHECK(by_option.out == ask({"help", command}).out);
    }
    CHECK(ask({"help"}).out.find("Examples:") != std::string::npos);
    CHECK(ask({"help", "nonsense"}).code == 64);
}
