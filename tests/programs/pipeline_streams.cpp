// ringpipe run -f pipeline.toml whose stages read or write a stream of NATS JetStream.
#ifdef RINGPIPE_HAS_BRIDGE

#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/programs/stages.hpp"
#include "tests/support/nats_server.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

std::string stage(const std::string& command, const std::string& keys) {
    return "[[stage]]\ncommand = '''" + command + "'''\n" + keys + "\n";
}

// As ps(1) shows them to everybody.
std::string all_command_lines() {
    std::ostringstream all;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        std::ifstream line{entry.path() / "cmdline"};
        if (line) { all << line.rdbuf() << '\n'; }
        all.clear();  // one that is empty is no failure
    }
    return all.str();
}

}  // namespace

TEST_CASE("a pipeline in two files goes over a stream") {
    const nats_server server;
    const auto address = server.url() + "/jobs";
    file_run first{stage("seq 5000", "to = \"a\"") +
                   stage("cat", "from = \"a\"\nto = \"" + address + "\"")};
    const int first_code = first.run.wait(60s);
    INFO(first.run.err());
    CHECK(first_code == 0);
    file_run second{stage("cat", "from = \"" + address + "/there\"")};
    const int second_code = second.run.wait(60s);
    INFO(second.run.err());
    CHECK(second_code == 0);
    CHECK((second.run.out() == numbers(1, 5000)));
}

TEST_CASE("two stages that read one address get each message both") {
    const nats_server server;
    const auto address = server.url() + "/jobs";
    file_run first{stage("seq 100", "to = \"" + address + "\"")};
    CHECK(first.run.wait(60s) == 0);
    const unique_file copy;
    file_run second{stage("cat > " + copy.path(), "from = \"" + address + "\"") +
                    stage("cat", "from = \"" + address + "\"")};
    const int code = second.run.wait(60s);
    INFO(second.run.err());
    CHECK(code == 0);
    CHECK((second.run.out() == numbers(1, 100)));
    CHECK((copy.content() == numbers(1, 100)));
}

TEST_CASE("a bridge of a run that is killed is started again and nothing is lost") {
    const nats_server server;
    const unique_name name;
    const auto address = server.url() + "/jobs";
    pipe_ends typed;
    file_run sut{"name = \"" + name.str() + "\"\n" + stage("cat", "to = \"" + address + "\""),
                 {},
                 {.in = typed.read.get()}};
    const auto ring_name = name.str() + "-nats.jobs";
    const auto bridge_pid = [&]() -> pid_t {
        try {
            for (const auto& each : ring::open(ring_name).status().members) {
                if (each.alive && each.name == "bridge out") {
                    return static_cast<pid_t>(each.pid);
                }
            }
        } catch (const error&) {}  // not yet
        return 0;
    };
    const auto all_stored = [&](std::uint64_t messages) {
        return eventually([&] {
            const auto now = ring::open(ring_name).status();
            return now.messages >= messages && now.groups.at(0).lag_bytes == 0;
        });
    };
    REQUIRE(eventually([&] { return bridge_pid() != 0; }));
    REQUIRE(::write(typed.write.get(), "a\n", 2) == 2);
    REQUIRE(all_stored(1));
    const auto first = bridge_pid();
    REQUIRE(::kill(first, SIGKILL) == 0);
    REQUIRE(::write(typed.write.get(), "b\n", 2) == 2);
    REQUIRE(eventually([&] {
        const auto now = bridge_pid();
        return now != 0 && now != first;
    }));
    REQUIRE(all_stored(2));
    typed.write.reset();
    CHECK(sut.run.wait(60s) == 0);
    CHECK(sut.run.says("is started again, 1 of 3"));
    file_run second{stage("cat", "from = \"" + address + "\"")};
    const int code = second.run.wait(60s);
    INFO(second.run.err());
    CHECK(code == 0);
    CHECK(second.run.out() == "a\nb\n");
}

TEST_CASE("a run shows its bridges before it starts them and hides their passwords") {
    file_run sut{stage("seq 5", "to = \"nats://me:secret@hub:4222/jobs\"") +
                     stage("cat", "from = \"nats://hub/done/here\""),
                 {"--print"}};
    CHECK(sut.run.wait() == 0);
    const auto out = sut.run.out();
    CHECK(out.find("secret") == std::string::npos);
    CHECK(out.find("bridge out: nats://hub:4222/jobs\n"
                   "  from ring nats.jobs as group bridge\n"
                   "  to the stream\n") != std::string::npos);
    CHECK(out.find("bridge in: nats://hub/done/here\n"
                   "  from the stream\n"
                   "  to ring nats.done.here\n") != std::string::npos);
}

TEST_CASE("a password in a pipeline file reaches the server and no command line") {
    const nats_server server{"authorization { user: me, password: hidden-word }\n"};
    const auto address =
        "nats://me:hidden-word@127.0.0.1:" + std::to_string(server.port()) + "/jobs";
    pipe_ends typed;
    file_run sut{stage("cat", "to = \"" + address + "\""), {}, {.in = typed.read.get()}};
    std::string seen;
    REQUIRE(eventually([&] {
        seen = all_command_lines();
        return seen.find("bridge") != std::string::npos &&
               seen.find("127.0.0.1:" + std::to_string(server.port()) + "/jobs") !=
                   std::string::npos;
    }));
    CHECK(seen.find("hidden-word") == std::string::npos);
    typed.write.reset();
    const int code = sut.run.wait(60s);
    INFO(sut.run.err());
    CHECK(code == 0);
}

TEST_CASE("a mistake in an address is said with its line and key") {
    CHECK(mistake_in(stage("seq 5", "to = \"nats://hub\""))
              .starts_with("3: stage.to: cannot use 'nats://hub' as an address: the stream"));
    CHECK(mistake_in(stage("seq 5", "to = \"nats://hub/jobs/me\""))
              .starts_with("3: stage.to: a stream is written to without a consumer"));
    CHECK(mistake_in(stage("cat", "from = \"tls://hub/a b\"")).starts_with("3: stage.from: "));
    CHECK(mistake_in(stage("cat", "from = \"nats://hub/a\"\nto = \"nats://hub/a\""))
              .starts_with("4: stage.to: ring nats.a is there already"));
}

#endif
