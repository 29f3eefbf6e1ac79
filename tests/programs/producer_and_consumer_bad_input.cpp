// What can be wrong with a command line or its input: one line, a code, and nothing left behind.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/temporary_folder.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

void refuses(program& sut, std::string_view who, int code) {
    CHECK(sut.wait() == code);
    const auto err = sut.err();
    CAPTURE(err);
    CHECK(is_one_line(err, std::string{who} + ": "));
}

void producer_refuses(int code, const std::vector<std::string>& arguments,
                      const program_io& io = {.input = "a\n"}) {
    CAPTURE(arguments);
    producer_program sut{arguments, io};
    refuses(sut, "ringpipe-producer", code);
}

void consumer_refuses(int code, const std::vector<std::string>& arguments,
                      const program_io& io = {}) {
    CAPTURE(arguments);
    consumer_program sut{arguments, io};
    refuses(sut, "ringpipe-consumer", code);
}

}  // namespace

TEST_CASE("a mistake on the command line ends with 64 and leaves no ring") {
    const unique_ring name;
    producer_refuses(64, {});
    consumer_refuses(64, {});
    for (const std::vector<std::string>& options :
         std::vector<std::vector<std::string>>{{"--nonsense"},
                                               {"--framing", "words"},
                                               {"--framing", "fixed:0"},
                                               {"--capacity", "many"},
                                               {"--mode", "999"},
                                               {"--rate", "0"},
                                               {"--generate", "5:3"},
                                               {"--generate", "5", "/etc/hostname"},
                                               {"--groups", "a,,b"},
                                               {"--groups", "a/b"},
                                               {"--members", "0"},
                                               {"--wait", "a while"}}) {
        auto arguments = options;
        arguments.insert(arguments.begin(), name);
        producer_refuses(64, arguments);
    }
    for (const std::vector<std::string>& options :
         std::vector<std::vector<std::string>>{{"--nonsense"},
                                               {"--group", ""},
                                               {"--group", "a\nb"},
                                               {"--from", "yesterday"},
                                               {"--timeout", "soon"},
                                               {"--prefetch", "0"},
                                               {"--exec", "true", "--to", "x"},
                                               {"--verify", "--exec", "true"}}) {
        auto arguments = options;
        arguments.insert(arguments.begin(), name);
        consumer_refuses(64, arguments);
    }
    CHECK(!name.exists());
}

TEST_CASE("names that no ring can have") {
    for (const std::string& name : {std::string{}, std::string(300, 'x'), std::string{"a\tb"},
                                    std::string{"a\nb"}, std::string{"\x1b[31m"}}) {
        CAPTURE(name);
        producer_refuses(64, {name});
        consumer_refuses(64, {name});
    }
}

TEST_CASE("a directory as the ring's file") {
    const temporary_folder folder;
    producer_refuses(78, {folder.path()});
    consumer_refuses(78, {folder.path()});
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a foreign file of the ring's name stays as it is") {
    const unique_ring name;
    std::ofstream{name.path()} << "not a ring, and more than a page of it"
                               << std::string(9000, '.');
    const auto size = std::filesystem::file_size(name.path());
    producer_refuses(78, {name});
    consumer_refuses(78, {name});
    CHECK(std::filesystem::file_size(name.path()) == size);
}

TEST_CASE("a first file that cannot be read leaves no ring") {
    const unique_ring name;
    producer_refuses(66, {name, "/nowhere/at-all"});
    producer_refuses(74, {name, "/tmp"});
    consumer_refuses(74, {name, "--to", "/nowhere/at-all"});
    CHECK(!name.exists());
}

TEST_CASE("a file without permission, and a ring without") {
    if (::geteuid() != 0 || !std::filesystem::exists("/usr/bin/setpriv")) {
        MESSAGE("skipped: needs root, to become somebody else");
        return;
    }
    const program_io somebody{
        .input = "a\n",
        .prefix = {"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"}};
    const unique_ring name;
    const unique_file secret{"a\n"};
    ::chmod(secret.path().c_str(), 0600);
    producer_refuses(77, {name, secret.path()}, somebody);
    CHECK(!name.exists());

    const auto ours = ring::create(name.str());
    producer_refuses(77, {name}, somebody);
    consumer_refuses(77, {name}, somebody);
}

TEST_CASE("a message too large for the ring, with nothing sent before, no ring is left") {
    const unique_ring name;
    const std::string line(5000, 'x');
    producer_refuses(65, {name, "--capacity", "4KiB"}, {.input = line});
    CHECK(!name.exists());
    producer_refuses(65, {name, "--capacity", "4KiB", "--framing", "fixed:5000"}, {.input = line});
    CHECK(!name.exists());
    producer_refuses(65, {name, "--capacity", "4KiB", "--generate", "1:5000"});
    CHECK(!name.exists());
}

TEST_CASE("a malformed length frame: what came before is sent, then the stream is truncated") {
    const unique_ring name;
    const std::string good{"\x02\0\0\0ab", 6};
    producer_refuses(65, {name, "--framing", "length"}, {.input = std::string{"\x09\0\0\0ab", 6}});
    CHECK(!name.exists());

    producer_refuses(65, {name, "--framing", "length"}, {.input = good + good + "\x09"});
    consumer_program consumer{{name}};
    CHECK(consumer.wait() == 3);
    CHECK(consumer.out() == "ab\nab\n");
}

TEST_CASE("a full member table") {
    const unique_ring name;
    ring_options options;
    options.members = 1;
    const auto where = ring::create(name.str(), options);
    const producer member{where};
    producer_refuses(69, {name});
    consumer_refuses(69, {name});
}

TEST_CASE("more groups than a ring has room for leave no ring behind") {
    const unique_ring name;
    producer_refuses(69, {name, "--group-slots", "1", "--groups", "a,b"});
    CHECK(!name.exists());
}

TEST_CASE("a ring that exists with other options") {
    const unique_ring name;
    ring_options options;
    options.capacity = 8192;
    const auto where = ring::create(name.str(), options);
    producer_refuses(78, {name, "--capacity", "64KiB"});
    consumer_refuses(78, {name, "--capacity", "64KiB"});
}

TEST_CASE("a /dev/shm too small for the ring leaves none") {
    const unique_ring name;
    producer_refuses(73, {name, "--capacity", "1TiB"});
    consumer_refuses(73, {name, "--capacity", "1TiB"});
    CHECK(!name.exists());
}

TEST_CASE("help and version are no mistakes") {
    for (const std::string program : {"ringpipe-producer", "ringpipe-consumer"}) {
        ringpipe::test::program help{program, {"--help"}};
        CHECK(help.wait() == 0);
        CHECK(help.out().find("Exit codes:") != std::string::npos);
        ringpipe::test::program version{program, {"--version"}};
        CHECK(version.wait() == 0);
        CHECK(version.out().starts_with(program + " 0."));
    }
}
