// What consumers fail with: tried again, then put aside; listed, replayed, dropped.
#include "shm/dead_letter.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/types.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

nlohmann::json letters_of(const std::string& ring) {
    const auto listed = ask({"dead", ring, "--json"});
    CAPTURE(listed.err);
    REQUIRE(listed.code == 0);
    return nlohmann::json::parse(listed.out);
}

void send_lines(const std::string& ring, const std::string& lines) {
    producer_program sender{{ring}, {.input = lines}};
    REQUIRE(sender.wait() == 0);
}

// Sends and buries them.
void bury_all(const ring& where, const std::vector<std::string>& texts) {
    producer out{where};
    consumer in{where};
    for (const auto& text : texts) {
        out.send(bytes(text));
        const auto dead = in.receive_for(patience);
        REQUIRE(dead);
        in.bury(dead, "no reason");
    }
}

}  // namespace

TEST_CASE("a message that a command always fails with is put aside, the others keep their order") {
    const unique_ring name;
    send_lines(name, numbers(1, 20));
    std::string fail;
    std::string why;
    SUBCASE("by its exit code") {
        fail = "exit 7";
        why = "exit code 7";
    }
    SUBCASE("by a signal") {
        fail = "kill -9 $$";
        why = "killed by signal 9 (Killed)";
    }
    consumer_program sut{{name, "--max-attempts", "3", "--stats", "--exec",
                          "read x; test $x != 13 || " + fail + "; echo $x"}};
    CHECK(sut.wait() == 0);
    CHECK(sut.out() == numbers(1, 12) + numbers(14, 20));
    const auto err = sut.err();
    CAPTURE(err);
    CHECK(err.find("\"dead_letters\":1") != std::string::npos);
    CHECK(err.find("\"messages\":19") != std::string::npos);
    CHECK(err.find("ringpipe dead " + name.str()) != std::string::npos);

    const auto letters = letters_of(name);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0]["sequence"] == 12);
    CHECK(letters[0]["attempts"] == 3);
    CHECK(letters[0]["why"] == why);
    CHECK(letters[0]["size_bytes"] == 2);
    CHECK(letters[0]["payload_begin"] == "13");
    const auto text = ask({"dead", name});
    CAPTURE(text.out);
    CHECK(text.code == 0);
    CHECK(text.out.find(why) != std::string::npos);
    CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 2);
}

TEST_CASE("the environment tells the attempt, and the count outlives the consumer") {
    const unique_ring name;
    send_lines(name, "a\n");
    const std::string tell = "echo $RINGPIPE_ATTEMPT $RINGPIPE_REDELIVERED; ";
    consumer_program first{
        {name, "--exec", tell + "test $RINGPIPE_ATTEMPT = 1 || kill -9 $PPID; false"}};
    CHECK(first.wait() == 128 + SIGKILL);
    CHECK(first.out() == "1 0\n2 0\n");
    consumer_program second{{name, "--exec", tell}};
    CHECK(second.wait() == 0);
    CHECK(second.out() == "3 1\n");
}

TEST_CASE("a message that kills its consumers is put aside after so many of them") {
    const unique_ring name;
    send_lines(name, numbers(1, 5));
    const std::vector<std::string> arguments{
        name, "--max-attempts", "3", "--exec",
        "read x; test $x != 3 || { kill -9 $PPID; exit; }; echo $x"};
    std::string out;
    for (int death = 1; death <= 3; ++death) {
        consumer_program dies{arguments};
        CHECK(dies.wait() == 128 + SIGKILL);
        out += dies.out();
    }
    consumer_program lives{arguments};
    CHECK(lives.wait() == 0);
    CHECK(out + lives.out() == "1\n2\n4\n5\n");
    const auto letters = letters_of(name);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0]["sequence"] == 2);
    CHECK(letters[0]["attempts"] == 3);
    CHECK(letters[0]["payload_begin"] == "3");
}

TEST_CASE("a consumer that tries again does not hold up the others") {
    const unique_ring name;
    send_lines(name, numbers(1, 1000));
    consumer_program stuck{
        {name, "--max-attempts", "0", "--exec", "echo $RINGPIPE_ATTEMPT; false"}};
    REQUIRE(eventually([&] { return !stuck.out().empty(); }));
    consumer_program other{{name}};
    CHECK(eventually([&] { return other.out() == numbers(2, 1000); }));
    // Never put aside, however often.
    CHECK(eventually([&] { return stuck.out().starts_with("1\n2\n3\n"); }));
    stuck.signal(SIGTERM);
    CHECK(stuck.wait(soon) == 128 + SIGTERM);
    CHECK(other.wait() == 0);
    CHECK(other.out() == numbers(2, 1000) + "1\n");
    CHECK(ask({"dead", name}).err.find("no dead letters") != std::string::npos);
}

TEST_CASE("a killed consumer takes the command along that works on its message") {
    const unique_ring name;
    send_lines(name, "a\n");
    consumer_program sut{{name, "--exec", "echo $$; exec sleep 1000"}};
    REQUIRE(eventually([&] { return sut.out().ends_with("\n"); }));
    const pid_t command = std::stoi(sut.out());
    CHECK(::kill(command, 0) == 0);
    sut.signal(SIGKILL);
    CHECK(sut.wait() == 128 + SIGKILL);
    // (As a zombie it may stay for a while, if nobody here reaps orphans.)
    CHECK(eventually([&] {
        std::ifstream state{"/proc/" + std::to_string(command) + "/stat"};
        std::string pid;
        std::string called;
        char letter = 'X';
        state >> pid >> called >> letter;
        return letter == 'X' || letter == 'Z';
    }));
}

TEST_CASE("the pause before the next attempt can be interrupted, its attempts still count") {
    const unique_ring name;
    send_lines(name, "a\n");
    consumer_program sut{{name, "--max-attempts", "0", "--exec", "echo $RINGPIPE_ATTEMPT; false"}};
    // Behind it, a pause of 3.2 s.
    REQUIRE(eventually([&] { return sut.out().ends_with("6\n"); }));
    const stopwatch watch;
    sut.signal(SIGINT);
    CHECK(sut.wait() == 128 + SIGINT);
    CHECK(watch.elapsed() < 3s);
    consumer_program next{
        {name, "--max-attempts", "0", "--exec", "echo $RINGPIPE_ATTEMPT $RINGPIPE_REDELIVERED"}};
    CHECK(next.wait() == 0);
    CAPTURE(next.out());
    CHECK(next.out().ends_with(" 1\n"));
    CHECK(next.out().starts_with("6"));
}

TEST_CASE("replay sends them back in their order, and they are dead no longer") {
    const unique_ring name;
    send_lines(name, numbers(1, 6));
    consumer_program failing{
        {name, "--max-attempts", "1", "--exec", "read x; test $((x % 2)) = 1 && echo $x"}};
    CHECK(failing.wait() == 0);
    CHECK(failing.out() == "1\n3\n5\n");
    CHECK(letters_of(name).size() == 3);
    CHECK(letters_of(name).size() == 3);  // a look changes nothing

    const auto replayed = ask({"dead", name, "--replay"});
    CAPTURE(replayed.err);
    CHECK(replayed.code == 0);
    CHECK(replayed.err.find("3 dead letters") != std::string::npos);
    CHECK(letters_of(name).empty());
    consumer_program mended{{name}};
    CHECK(mended.wait() == 0);
    CHECK(mended.out() == "2\n4\n6\n");
    CHECK(ask({"dead", name, "--replay"}).code == 0);
    consumer_program nothing{{name}};
    CHECK(nothing.wait() == 0);
    CHECK(nothing.out() == "");
}

TEST_CASE("replay waits for room, and loses nothing when it is interrupted") {
    const unique_ring name;
    const auto ring = ringpipe::ring::create(name.str(), small());
    bury_all(ring, {"x", "y"});
    producer filler{ring};
    CHECK(fill(filler, "full") > 0);
    filler.close();
    {
        program sut{"ringpipe", {"dead", name, "--replay"}};
        REQUIRE(eventually([&] { return sut.err().find("is full") != std::string::npos; }));
        sut.signal(SIGTERM);
        CHECK(sut.wait() == 128 + SIGTERM);
    }
    CHECK(letters_of(name).size() == 2);
    consumer_program all{{name}};
    CHECK(all.wait() == 0);  // not truncated
    CHECK(ask({"dead", name, "--replay"}).code == 0);
    consumer_program back{{name}};
    CHECK(back.wait() == 0);
    CHECK(back.out() == "x\ny\n");
}

TEST_CASE("more letters than half of their ring holds are listed and dropped") {
    const unique_ring name;
    const auto ring = ringpipe::ring::create(name.str(), small());
    const std::vector<std::string> many(700, std::string(1000, '\n'));
    bury_all(ring, many);
    auto letters = letters_of(name);
    REQUIRE(letters.size() == many.size());
    CHECK(letters[699]["sequence"] == 699);
    CHECK(letters[699]["size_bytes"] == 1000);
    CHECK(letters[699]["payload_begin"].get<std::string>().starts_with("\\n\\n"));

    const auto dropped = ask({"dead", name, "--drop"});
    CHECK(dropped.code == 0);
    CHECK(dropped.err.find("700 dead letters") != std::string::npos);
    CHECK(letters_of(name).empty());
    // Those behind are new, and their room is free again.
    bury_all(ring, {"new\x1b"});
    letters = letters_of(name);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0]["payload_begin"] == "new\\x1b");
    bury_all(ring, many);
    CHECK(letters_of(name).size() == 701);
}

TEST_CASE("without dead letters there is nothing to do, without a ring it is an error") {
    const unique_ring name;
    for (const std::vector<std::string>& options :
         std::vector<std::vector<std::string>>{{}, {"--json"}, {"--replay"}, {"--drop"}}) {
        std::vector<std::string> arguments{"dead", name};
        arguments.insert(arguments.end(), options.begin(), options.end());
        const auto missing = ask(arguments);
        CHECK(missing.code == 66);
        CHECK(is_one_line(missing.err, "ringpipe: "));
    }
    const auto ring = ringpipe::ring::create(name.str(), small());
    const auto none = ask({"dead", name});
    CHECK(none.code == 0);
    CHECK(none.out == "");
    CHECK(is_one_line(none.err, "ringpipe: "));
    CHECK(ask({"dead", name, "--json"}).out == "[]\n");
    CHECK(ask({"dead", name, "--replay"}).code == 0);
    CHECK(ask({"dead", name, "--drop"}).code == 0);
    CHECK(ask({"dead", name, "--drop", "--replay"}).code == 64);
}

TEST_CASE("what is not a dead letter is listed as that, and dropped, but not replayed") {
    const unique_ring name;
    const auto ring = ringpipe::ring::create(name.str(), small());
    send_lines(dead_letter_ring_of(name.str()), "who am I\n");
    const auto letters = letters_of(name);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0]["error"] == "not a dead letter");
    CHECK(ask({"dead", name}).out.find("who am I") != std::string::npos);
    const auto replayed = ask({"dead", name, "--replay"});
    CHECK(replayed.code == 65);
    CHECK(is_one_line(replayed.err, "ringpipe: "));
    CHECK_FALSE(ring.status().truncated);
    CHECK(ask({"dead", name, "--drop"}).code == 0);
    CHECK(letters_of(name).empty());
}

TEST_CASE("dead letters outlive their ring, a ring without any does not") {
    const unique_ring name;
    const auto dead = dead_letter_ring_of(name.str());
    const auto exists = [](const std::string& ring) { return ask({"stat", ring}).code == 0; };
    {
        const auto ring = ringpipe::ring::create(name.str(), small());
        bury_all(ring, {"x"});
    }
    const auto removed = ask({"rm", name});
    CHECK(removed.code == 0);
    CHECK(is_one_line(removed.err, "ringpipe: "));
    CHECK_FALSE(exists(name));
    CHECK(exists(dead));
    CHECK(letters_of(name).size() == 1);
    CHECK(ask({"dead", name, "--replay"}).code == 66);
    CHECK(letters_of(name).size() == 1);

    { const auto ring = ringpipe::ring::create(name.str(), small()); }
    CHECK(ask({"dead", name, "--replay"}).code == 0);
    const auto again = ask({"rm", name});
    CHECK(again.code == 0);
    CHECK(again.err == "");
    CHECK_FALSE(exists(dead));
}
