// Killed at every instruction of send, batch, loan, claim, acknowledge and reject: nothing is lost and
// nobody waits. Who comes and goes: every_instruction_members.cpp; who repairs: _repairs.cpp.
#include <cstring>

#include "tests/crash/every_instruction_acts.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

const std::vector<std::string> five = {"one", "two", "", "four", "the fifth one"};

const std::string large = pattern(600, 7);

}  // namespace

TEST_CASE("every instruction: a producer dies in a send") {
    survive_every_instruction({
        "send",
        having_sent({"before"}, {{"sent"}}),
        send("sent"),
        ending::truncated,
    });
    survive_every_instruction({
        "send that wakes",
        [](const std::string& name) {
            auto before = sent_before(name, {"before"});
            before.offered = {{"sent"}};
            // As if somebody slept.
            const segment_view view{path_of(name)};
            view.sleepers().groups = 3;
            view.group(0).waiting = 3;
            view.group(1).waiting = 5;
            return before;
        },
        send("sent"),
        ending::truncated,
    });
}

TEST_CASE("every instruction: a producer dies in a batch") {
    survive_every_instruction({
        "batch send",
        having_sent({"before"}, {{"first", "", "third of the batch"}, {"the next batch", large}}),
        with_producer([](producer& out, notes& told) {
            const std::span<const std::byte> three[] = {bytes("first"), bytes(""),
                                                        bytes("third of the batch")};
            const std::span<const std::byte> two[] = {bytes("the next batch"), bytes(large)};
            out.send_batch(three);
            ++told.returned;
            out.send_batch(two);
            ++told.returned;
        }),
        ending::truncated,
    });
}

TEST_CASE("every instruction: a producer dies in a loan") {
    survive_every_instruction({
        "loan, committed shorter",
        having_sent({"before"}, {{"lent"}, {large}}),
        with_producer([](producer& out, notes& told) {
            auto space = out.lend(100);
            std::memcpy(space.payload().data(), "lent", 4);
            space.commit(4);
            ++told.returned;
            auto more = out.lend(large.size());
            std::memcpy(more.payload().data(), large.data(), large.size());
            more.commit();
            ++told.returned;
        }),
        ending::truncated,
    });
    survive_every_instruction({
        "loans, one discarded",
        having_sent({"before"}, {{"between"}}),
        with_producer([](producer& out, notes& told) {
            auto first = out.lend(100);
            auto second = out.lend(50);
            first.discard();
            out.send(bytes("between"));
            second.discard();
            ++told.returned;
        }),
        ending::truncated,
    });
}

TEST_CASE("every instruction: a producer dies in a send to a full ring") {
    survive_every_instruction({
        "send that has to find room",
        [](const std::string& name) {
            const auto made = ring::create(name, stepping_ring());
            auto in = member_of("work", name);
            producer out{made};
            std::vector<std::string> texts;
            // All of these are acknowledged, but released lazily.
            for (int i = 0; i < 5; ++i) {
                texts.push_back(pattern(700, static_cast<std::uint64_t>(i)));
            }
            send_all(out, texts);
            return story{texts, {{large}}};
        },
        [](const std::string& name, const marks& mark) {
            const auto opened = ring::open(name);
            producer out{opened};
            auto in = member_of("work", name);
            for (int i = 0; i < 3; ++i) { acknowledge(in, receive(in, mark), mark); }
            mark.begin();
            if (out.send_for(bytes(large), limit)) { ++mark.note().returned; }
            mark.end();
        },
        ending::truncated,
        {"work"},
        {0, 1, 2},
        false,
    });
}

TEST_CASE("every instruction: a named producer dies in a send and its name knows how far it came") {
    survive_every_instruction({
        "send with an id",
        [](const std::string& name) {
            auto before = sent_before(name, {"before"});
            producer_options options;
            options.resume = "source";
            producer out{ring::open(name), options};
            out.send(bytes("id 10"), 10);
            before.sent.push_back("id 10");
            before.offered = {{"id 20"}, {"id 30"}};
            return before;
        },
        [](const std::string& name, const marks& mark) {
            producer_options options;
            options.resume = "source";
            producer out{ring::open(name), options};
            mark.begin();
            out.send(bytes("id 20"), 20);
            ++mark.note().returned;
            out.send(bytes("id 30"), 30);
            ++mark.note().returned;
            mark.end();
        },
        ending::truncated,
        {"work", "all"},
        {0, 1, 2, 3},
        true,
        [](const std::string& name, const std::vector<bool>& came) -> std::string {
            const auto ids =
                10U + 10U * static_cast<unsigned>(came[0]) + 10U * static_cast<unsigned>(came[1]);
            producer_options options;
            options.resume = "source";
            const auto opened = ring::open(name);
            const producer again{opened, options};
            if (again.last_id() != ids) {
                return "the last id is wrong, or not that of what was committed";
            }
            // Resumed: the stream is whole again.
            return opened.status().truncated ? "still truncated, although resumed" : "";
        },
    });
}

TEST_CASE("every instruction: a consumer dies in a claim") {
    survive_every_instruction({
        "claim",
        having_sent(five),
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            mark.begin();
            (void)receive(in, mark);
            mark.end();
        },
    });
}

TEST_CASE("every instruction: a consumer dies in an acknowledgement") {
    survive_every_instruction({
        "acknowledge, and the claim that releases",
        having_sent(five),
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            mark.begin();
            for (std::size_t i = 0; i < five.size(); ++i) {
                acknowledge(in, receive(in, mark), mark);
            }
            mark.end();
        },
    });
    survive_every_instruction({
        "acknowledge late, and with producers that wait for room",
        [](const std::string& name) {
            const auto before = sent_before(name, five);
            segment_view{path_of(name)}.room().waiting = 3;
            return before;
        },
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            (void)receive(in, mark);
            const auto second = receive(in, mark);
            mark.begin();
            acknowledge(in, second, mark);
            (void)receive(in, mark);
            (void)receive(in, mark);
            mark.end();
        },
    });
}

TEST_CASE("every instruction: a consumer dies while it gives a message back") {
    survive_every_instruction({
        "reject",
        having_sent(five),
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            (void)receive(in, mark);
            (void)receive(in, mark);
            const auto third = receive(in, mark);
            mark.begin();
            mark.note().acknowledging = 2;
            in.reject(third);
            mark.note().acknowledged = 2;
            ++mark.note().returned;
            mark.end();
        },
    });
}
