// ringpipe bridge: how it is can be seen in stat, top and metrics.
#ifdef RINGPIPE_HAS_BRIDGE

#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "pipeline/view/exposition.hpp"
#include "pipeline/view/screen.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/program.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

std::string stat(const std::string& ring, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"stat", ring});
    program sut{"ringpipe", more};
    CHECK(sut.wait() == 0);
    return sut.out();
}

// What `stat --json` tells of its one bridge; an empty object if there is none.
nlohmann::json bridge_of(const std::string& ring) {
    const auto all = nlohmann::json::parse(stat(ring, {"--json"})).at("bridges");
    return all.empty() ? nlohmann::json::object() : all.at(0);
}

template <class Is>
nlohmann::json await(const std::string& ring, Is is) {
    nlohmann::json last;
    const bool came = eventually([&] {
        last = bridge_of(ring);
        return !last.empty() && is(last);
    });
    CAPTURE(last.dump());
    CHECK(came);
    return last;
}

std::string on_screen(const std::string& ring) {
    pipeline::screen sut{false};
    sut.show(pipeline::observer{{ring}}.look());
    std::string text;
    for (const auto& line : sut.lines(200)) {
        for (const auto& piece : line) { text += piece.text; }
        text += "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("bridge: whether it is connected and how far it is can be seen") {
    nats_server server;
    const unique_ring here;
    const unique_ring there;
    const auto from = ring::create(here.str(), small(65536));
    const auto to = ring::create(there.str(), small(65536));
    const auto address = server.url() + "/jobs";
    producer source{from};
    send_all(source, {"a", "b"});
    program out{"ringpipe", {"bridge", "out", here, address, "--create"}};
    const auto first = await(here, [](const auto& b) { return b["acknowledged_messages"] == 2; });
    CHECK(first["connected"] == true);
    CHECK(first["direction"] == "out");
    CHECK(first["address"] == address);
    CHECK(first["waiting_messages"] == 0);
    CHECK(first["last_error"] == "");
    CHECK(stat(here).find("connected for") != std::string::npos);
    CHECK(on_screen(here).find("connected for") != std::string::npos);

    program in{"ringpipe", {"bridge", "in", address, there}};
    const auto second = await(there, [](const auto& b) { return b["acknowledged_messages"] == 2; });
    CHECK(second["direction"] == "in");
    CHECK(second["address"] == address + "/default");

    server.kill();
    send_all(source, {"c"});
    const auto lost = await(here, [](const auto& b) { return b["connected"] == false; });
    CHECK(lost["last_error"] != "");
    await(here, [](const auto& b) { return b["waiting_messages"] == 1; });
    CHECK(on_screen(here).find("reconnecting for") != std::string::npos);
    server.start();
    await(here,
          [](const auto& b) { return b["connected"] == true && b["acknowledged_messages"] == 3; });
    source.close();
    CHECK(out.wait() == 0);
    CHECK(in.wait() == 0);
    CHECK(bridge_of(here).empty());
}

TEST_CASE("bridge: its state is among the metrics") {
    const nats_server server;
    const unique_ring here;
    const auto from = ring::create(here.str(), small(65536));
    producer source{from};
    send_all(source, {"a"});
    program out{"ringpipe", {"bridge", "out", here, server.url() + "/jobs", "--create"}};
    await(here, [](const auto& b) { return b["acknowledged_messages"] == 1; });
    const auto metrics = pipeline::exposition{}.Collect();
    // Other rings may be there, too.
    const auto value_of = [&](std::string_view name) {
        for (const auto& family : metrics) {
            if (family.name != name) { continue; }
            for (const auto& each : family.metric) {
                if (each.label.at(0).value == here.str()) {
                    return each.gauge.value + each.counter.value;
                }
            }
        }
        return -1.0;
    };
    CHECK(value_of("ringpipe_bridge_connected") == 1);
    CHECK(value_of("ringpipe_bridge_acknowledged_messages_total") == 1);
    CHECK(value_of("ringpipe_bridge_waiting_messages") == 0);
}

TEST_CASE("bridge: a note that is no note is not believed") {
    CHECK_FALSE(bridge::read_state_note(static_cast<std::uint32_t>(::getpid())));
    const unique_fd forged{::memfd_create("ringpipe.bridge", MFD_CLOEXEC)};
    REQUIRE(forged);
    CHECK_FALSE(bridge::read_state_note(static_cast<std::uint32_t>(::getpid())));
    const std::string bytes(5000, '\xff');
    REQUIRE(::write(forged.get(), bytes.data(), bytes.size()) == 5000);
    CHECK_FALSE(bridge::read_state_note(static_cast<std::uint32_t>(::getpid())));
    {
        bridge::state_note sut;
        sut.describe("out", std::string(1000, 'x'));
        sut.passed(2, 10);
        const auto seen = bridge::read_state_note(static_cast<std::uint32_t>(::getpid()));
        REQUIRE(seen);
        CHECK(seen->messages == 2);
        CHECK(seen->address == std::string(256, 'x'));
        CHECK_FALSE(seen->connected);
    }
    CHECK_FALSE(bridge::read_state_note(static_cast<std::uint32_t>(::getpid())));
}

#endif
