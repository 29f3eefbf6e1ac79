// Killed at every instruction of attach, detach, create, and of waiting in vain. See
// every_instruction.hpp for how.
#include "tests/crash/every_instruction_acts.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

const std::vector<std::string> three = {"one", "two", "three"};
const std::vector<std::uint32_t> first_four = {0, 1, 2, 3};

}  // namespace

TEST_CASE("every instruction: a member dies while it attaches") {
    survive_every_instruction(
        {"attach a producer", having_sent(three), attach_producer, ending::attaching});
    survive_every_instruction({"attach a consumer", having_sent(three), attach_consumer});
    survive_every_instruction({
        "attach a consumer to a new group",
        [](const std::string& name) { return sent_before(name, three, {"all"}); },
        attach_consumer,
        ending::whole,
        {"work", "all"},
        first_four,
        false,  // they would make the group
    });
    survive_every_instruction({
        "attach the first producer",
        [](const std::string& name) {
            const auto made = ring::create(name, stepping_ring());
            made.add_group("work");
            return story{};
        },
        attach_producer,
        ending::attaching,
        {"work"},
        {},
        false,
        {},
        // A stream whose only producer was killed must not look complete, though it was to be
        // empty.
        [](const std::string& name, const promises&) -> std::string {
            auto in = member_of("work", name);
            return in.receive_for(interval * 6).status() == receive_status::end ? "looks complete"
                                                                                : "";
        },
    });
}

TEST_CASE("every instruction: the last member of an ephemeral group dies and holds nobody up") {
    survive_every_instruction({
        "attach to an ephemeral group, and receive",
        having_sent(three),
        [](const std::string& name, const marks& mark) {
            mark.begin();
            auto in = member_of("passing", name, group_kind::ephemeral);
            (void)in.try_receive();
            in.close();
            mark.end();
        },
    });
}

TEST_CASE("every instruction: a member dies while it leaves") {
    survive_every_instruction({
        "a producer closes",
        having_sent(three),
        with_producer([](producer& out, notes& told) {
            out.close();
            ++told.returned;
        }),
        ending::leaving,
    });
    survive_every_instruction({
        "a producer abandons",
        having_sent(three),
        with_producer([](producer& out, notes& told) {
            out.abandon();
            ++told.returned;
        }),
        ending::truncated,
    });
    survive_every_instruction({
        "a consumer leaves in the middle of its lease",
        [](const std::string& name) {
            return sent_before(name, {"one", "two", "three", "four", "five", "six"});
        },
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            // Leases of one, two, four: of the last it has received two and acknowledged one.
            for (std::uint32_t i = 1; i <= 5; ++i) {
                const auto m = in.try_receive();
                mark.note().received = i;
                if (i == 5) { break; }
                in.acknowledge(m);
                mark.note().acknowledging = mark.note().acknowledged = i;
            }
            mark.begin();
            in.close();
            ++mark.note().returned;
            mark.end();
        },
    });
}

TEST_CASE("every instruction: the creator of a ring dies") {
    survive_every_instruction({
        "create",
        [](const std::string&) { return story{}; },
        [](const std::string& name, const marks& mark) {
            mark.begin();
            const auto made = ring::create(name, stepping_ring());
            ++mark.note().returned;
            mark.end();
        },
        ending::whole,
        {"work", "all"},
        {},
        false,
    });
}

TEST_CASE("every instruction: a member dies while it waits") {
    survive_every_instruction({
        "a consumer waits for a message in vain",
        having_sent(three),
        [](const std::string& name, const marks& mark) {
            const auto opened = ring::open(name);
            const producer keeps_it_open{opened};
            auto in = member_of("work", name);
            take_all(in, mark);
            mark.begin();
            (void)in.receive_for(1ms);
            mark.end();
        },
        ending::truncated,
    });
    survive_every_instruction({
        "a producer waits for room in vain",
        [](const std::string& name) {
            return sent_before(name, {pattern(1500, 1), pattern(1500, 2), "the last that fits"},
                               {"work"});
        },
        with_producer([too_much = std::string(1200, 'x')](producer& out, notes& told) {
            if (out.send_for(bytes(too_much), 1ms)) { ++told.returned; }
        }),
        ending::truncated,
        {"work"},
        first_four,
        true,
    });
    survive_every_instruction({
        "a consumer sees the end",
        having_sent(three),
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            take_all(in, mark);
            mark.begin();
            (void)in.receive_for(limit);
            mark.end();
        },
    });
}
