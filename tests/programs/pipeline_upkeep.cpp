// `ringpipe gc`, `doctor`, `metrics` and `stat --watch`.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.hpp"
#include "tests/support/said.hpp"

namespace {

using namespace ringpipe;
using namespace ringpipe::test;

// As if nobody had used it since so long.
void make_older(const unique_ring& ring, std::chrono::seconds by) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= by.count();
    const timespec both[] = {now, now};
    REQUIRE(::utimensat(AT_FDCWD, ring.path().c_str(), both, 0) == 0);
}

// What gc would do with this ring. Never for real: other rings are other people's.
std::string fate_of(const unique_ring& ring, std::vector<std::string> options) {
    options.insert(options.begin(), {"gc", "--dry-run"});
    const auto all = ask(options);
    CHECK(all.code == 0);
    const auto at = all.out.find(" " + ring.str());
    REQUIRE(at != std::string::npos);
    const auto begin = all.out.rfind('\n', at) + 1;
    return all.out.substr(begin, all.out.find('\n', at) - begin);
}

std::string fetch(const std::string& port) {
    namespace net = boost::asio;
    net::io_context context;
    net::ip::tcp::socket socket{context};
    net::connect(socket, net::ip::tcp::resolver{context}.resolve("127.0.0.1", port));
    net::write(socket, net::buffer(std::string{"GET /metrics HTTP/1.0\r\n\r\n"}));
    std::string page;
    boost::system::error_code end;
    net::read(socket, net::dynamic_buffer(page), end);
    return page;
}

}  // namespace

TEST_CASE("gc takes old rings that are read and leaves all others") {
    const unique_ring name;
    {
        const auto where = ring::create(name.str(), small(65536));
        producer out{where};
        consumer in{where};
        send_all(out, {"one"});
        REQUIRE(take(in, 1).size() == 1);
        make_older(name, 48h);
        CHECK(has(fate_of(name, {"--older-than", "1h"}), "members live"));
    }
    CHECK(has(fate_of(name, {"--older-than", "1h"}), "used "));  // it was left just now
    make_older(name, 48h);
    CHECK(has(fate_of(name, {}), "would go"));
    CHECK(has(fate_of(name, {"--older-than", "72h"}), "kept"));
    CHECK(has(fate_of(name, {"--older-than", "0"}), "would go"));
    CHECK(name.exists());
    {
        producer out{ring::open(name.str())};
        send_all(out, {"unread"});
    }
    make_older(name, 48h);
    CHECK(has(fate_of(name, {}), "unread messages"));
    CHECK(has(fate_of(name, {"--unread"}), "would go"));
    CHECK(ask({"gc", "--older-than", "soon"}).code == 64);
}

TEST_CASE("gc removes what it says it would remove") {
    const unique_ring name;
    ring::create(name.str(), small());
    // So old that no other ring of this machine is.
    make_older(name, std::chrono::hours{24 * 365 * 20});
    const auto done = ask({"gc", "--older-than", std::to_string(24 * 365 * 19) + "h"});
    CHECK(done.code == 0);
    CHECK(has(done.out, "removed   " + name.str()));
    CHECK_FALSE(name.exists());
}

TEST_CASE("doctor finds a sound ring good") {
    const unique_ring name;
    producer out{ring::create(name.str(), small(65536))};
    send_all(out, {"one", "two"});
    const auto found = ask({"doctor", name});
    CAPTURE(found.out);
    CHECK(has(found.out, "ring " + name.str() + ": sound: 2 messages read"));
    CHECK(has(found.out, "/dev/shm"));
    CHECK(has(found.out, "file locks: work"));
}

TEST_CASE("doctor says what is wrong with a ring and what to do") {
    const unique_ring name;
    const auto where = ring::create(name.str(), small(65536));
    where.add_group("nobody");
    producer out{where};
    fill(out, pattern(500));
    consumer_program holds{{name, "--exec", "sleep 1000"}};
    REQUIRE(eventually([&] {
        const auto status = where.status();
        return std::any_of(status.members.begin(), status.members.end(),
                           [](const member_status& m) { return m.leased_bytes != 0; });
    }));
    holds.signal(SIGSTOP);
    const auto found = ask({"doctor", name, "--json"});
    holds.signal(SIGCONT);
    CHECK(found.code == 1);
    const auto all = nlohmann::json::parse(found.out);
    const auto about = [&](const std::string& part) {
        for (const auto& one : all) {
            if (has(one["what"], part)) {
                return one["severity"].get<std::string>() + ": " + one["advice"].get<std::string>();
            }
        }
        return std::string{};
    };
    CHECK(about("nobody is in group nobody") == "bad: ringpipe-consumer " + name.str() +
                                                    " --group nobody, or ringpipe rm " +
                                                    name.str() + " --group nobody");
    CHECK(has(about("is stopped"), "kill -CONT"));
    CHECK(ask({"doctor", "no-such-ring-here"}).code == 1);
}

TEST_CASE("doctor sees a damaged ring") {
    const unique_ring name;
    {
        producer out{ring::create(name.str(), small(65536))};
        send_all(out, {"one", "two"});
    }
    std::filesystem::resize_file(name.path(), 5000);
    const auto found = ask({"doctor", name});
    CHECK(found.code == 1);
    CHECK(has(found.out, "bad     ring " + name.str()));
}

TEST_CASE("metrics are served to Prometheus with names that follow its conventions") {
    const unique_ring name;
    const auto where = ring::create(name.str(), small(65536));
    where.add_group("work");
    producer out{where};
    send_all(out, {"one", "two"});
    program serves{"ringpipe", {"metrics", "--listen", "127.0.0.1:0"}};
    REQUIRE(eventually([&] { return has(serves.err(), "/metrics, until"); }));
    const auto said = serves.err();
    const auto port = said.substr(said.find("127.0.0.1:") + 10);
    const auto page = fetch(port.substr(0, port.find('/')));
    CAPTURE(page);
    CHECK(has(page, "200 OK"));
    CHECK(has(page, "# TYPE ringpipe_ring_sent_messages_total counter"));
    CHECK(has(page, "ringpipe_ring_sent_messages_total{ring=\"" + name.str() + "\"} 2"));
    CHECK(has(page, "ringpipe_ring_capacity_bytes{ring=\"" + name.str() + "\"} 65536"));
    CHECK(has(page, "ringpipe_group_lag_messages{ring=\"" + name.str() + "\",group=\"work\"} 2"));
    CHECK(has(page, "ringpipe_member_alive{ring=\"" + name.str() + "\",role=\"producer\""));
    program second{"ringpipe",
                   {"metrics", "--listen", "127.0.0.1:" + port.substr(0, port.find('/'))}};
    CHECK(second.wait() == 74);
    CHECK(is_one_line(second.err(), "ringpipe"));
    serves.signal(SIGTERM);
    CHECK(serves.wait() == 143);
    CHECK(has(ask({"metrics"}).out, "ringpipe_ring_readable{ring=\"" + name.str() + "\"} 1"));
}

TEST_CASE("stat --watch tells what flows until the ring is gone") {
    const unique_ring name;
    {
        const auto where = ring::create(name.str(), small(65536));
        producer out{where};
        program watches{"ringpipe", {"stat", name, "--json", "--watch", "20ms"}};
        REQUIRE(eventually([&] { return has(watches.out(), "\n"); }));
        send_all(out, {"one", "two"});
        REQUIRE(eventually([&] { return has(watches.out(), "\"messages\":2,"); }));
        ring::remove(name.str());
        CHECK(watches.wait() == 0);
        CHECK(is_one_line(watches.err(), "ringpipe"));
        double most = 0;
        std::istringstream lines{watches.out()};
        for (std::string line; std::getline(lines, line);) {
            most = std::max(most, nlohmann::json::parse(line)["messages_per_second"].get<double>());
        }
        CHECK(most > 0);
    }
    CHECK(ask({"stat", name, "--watch"}).code == 66);
    CHECK(ask({"stat", name, "--watch", "1ms"}).code == 64);
}
