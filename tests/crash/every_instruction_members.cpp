// Killed at every instruction of attach, detach, create, of waiting in vain, and of the repairs
// after another death. See every_instruction.hpp for how.
#include "tests/crash/every_instruction.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

const std::vector<std::string> three = {"one", "two", "three"};
const std::vector<std::uint32_t> first_four = {0, 1, 2, 3};

// Where those sit who were dead before, beside the child and in its place.
constexpr std::uint32_t beside = 8;
constexpr std::uint32_t in_place = 4;

story sent_before(const std::string& name, const std::vector<std::string>& texts,
                  const std::vector<std::string>& groups = {"work", "all"}) {
    const auto made = ring::create(name, stepping_ring());
    for (const auto& group : groups) { made.add_group(group); }
    producer out{made};
    send_all(out, texts);
    return {texts, {}};
}

std::string path_of(const std::string& name) { return "/dev/shm/ringpipe." + name; }

consumer member_of(const std::string& group, const std::string& name,
                   group_kind kind = group_kind::durable) {
    consumer_options options;
    options.group = group;
    options.kind = kind;
    options.max_attempts = 0;
    return consumer{ring::open(name), options};
}

// Receives, tells, acknowledges, tells.
void take_all(consumer& in, const marks& mark) {
    while (const auto m = in.try_receive()) {
        ++mark.note().received;
        mark.note().acknowledging = mark.note().received.load();
        in.acknowledge(m);
        mark.note().acknowledged = mark.note().received.load();
    }
}

layout::position behind(const std::vector<std::string>& texts, std::size_t count) {
    layout::position at = 0;
    for (std::size_t i = 0; i < count; ++i) { at += layout::stride_of(texts[i].size()); }
    return at;
}

// A producer that died in a send: committed, and the tail not advanced.
void bury_sender(story& of, const segment_view& view, std::uint32_t slot) {
    const auto dead = view.bury_member(slot, layout::role::producer);
    view.append().lock = dead;
    of.sent.push_back("of the dead");
    view.forge_message(view.append().tail, view.append().sequence, of.sent.back(), dead,
                       layout::word::committed);
}

// A producer that died in a loan, and had sent something behind it.
void bury_lender(story& of, const segment_view& view, std::uint32_t slot) {
    const auto dead = view.bury_member(slot, layout::role::producer);
    auto& side = view.append();
    side.tail =
        view.forge_message(side.tail, side.sequence++, "never committed", dead, layout::word::busy);
    of.sent.push_back("behind the loan");
    side.tail = view.forge_message(side.tail, side.sequence++, of.sent.back(), dead,
                                   layout::word::committed);
}

// A consumer that died in a claim of the first two: leased, and the claim position not advanced.
void bury_claimer(const segment_view& view, std::uint32_t slot) {
    const auto dead = view.bury_member(slot, layout::role::consumer);
    view.bury_lease(dead, 0, behind(three, 2));
    view.group(0).lock = dead;
}

void bury_holder(const segment_view& view, std::uint32_t slot) {
    view.bury_lease(view.bury_member(slot, layout::role::consumer), 0, behind(three, 2));
    view.group(0).claim = behind(three, 2);
}

using preparation = std::function<story(const std::string&)>;

preparation having_sent_and(const std::function<void(story&, const segment_view&)>& then) {
    return [then](const std::string& name) {
        auto before = sent_before(name, three);
        then(before, segment_view{path_of(name)});
        return before;
    };
}

preparation having_sent() {
    return having_sent_and([](story&, const segment_view&) {});
}

void attach_producer(const std::string& name, const marks& mark) {
    const auto opened = ring::open(name);
    mark.begin();
    const producer out{opened};
    ++mark.note().returned;
    mark.end();
}

void attach_consumer(const std::string& name, const marks& mark) {
    mark.begin();
    const auto in = member_of("work", name);
    ++mark.note().returned;
    mark.end();
}

void consume_all(const std::string& name, const marks& mark) {
    auto in = member_of("work", name);
    mark.begin();
    take_all(in, mark);
    mark.end();
}

}  // namespace

TEST_CASE("every instruction: a member dies while it attaches") {
    survive_every_instruction(
        {"attach a producer", having_sent(), attach_producer, ending::attaching});
    survive_every_instruction({"attach a consumer", having_sent(), attach_consumer});
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
        having_sent(),
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
        having_sent(),
        [](const std::string& name, const marks& mark) {
            producer out{ring::open(name)};
            mark.begin();
            out.close();
            ++mark.note().returned;
            mark.end();
        },
        ending::leaving,
    });
    survive_every_instruction({
        "a producer abandons",
        having_sent(),
        [](const std::string& name, const marks& mark) {
            producer out{ring::open(name)};
            mark.begin();
            out.abandon();
            ++mark.note().returned;
            mark.end();
        },
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
        having_sent(),
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
        [](const std::string& name, const marks& mark) {
            producer out{ring::open(name)};
            const std::string too_much(1200, 'x');
            mark.begin();
            if (out.send_for(bytes(too_much), 1ms)) { ++mark.note().returned; }
            mark.end();
        },
        ending::truncated,
        {"work"},
        first_four,
        true,
    });
    survive_every_instruction({
        "a consumer sees the end",
        having_sent(),
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            take_all(in, mark);
            mark.begin();
            (void)in.receive_for(limit);
            mark.end();
        },
    });
}

TEST_CASE("every instruction: a consumer dies while it adopts the lease of another that died") {
    const preparation dead_holder =
        having_sent_and([](story&, const segment_view& view) { bury_holder(view, beside); });
    // A bystander would have adopted it already, when it attached: none in these.
    survive_every_instruction({
        "adopt",
        having_sent(),
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            bury_holder(segment_view{path_of(name)}, beside);
            mark.begin();
            take_all(in, mark);
            mark.end();
        },
        ending::whole,
        {"work", "all"},
        first_four,
        false,
    });
    survive_every_instruction({"attach beside an orphan lease",
                               dead_holder,
                               attach_consumer,
                               ending::whole,
                               {"work", "all"},
                               first_four,
                               false});
    survive_every_instruction({"receive what was adopted when attaching",
                               dead_holder,
                               consume_all,
                               ending::whole,
                               {"work", "all"},
                               first_four,
                               false});
    survive_every_instruction({
        "attach where an orphan lease lies",
        having_sent_and([](story&, const segment_view& view) { bury_holder(view, in_place); }),
        attach_consumer,
        ending::whole,
        {"work", "all"},
        {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11},
        false,
    });
    survive_every_instruction({
        "finish what an adopter that died has begun",
        having_sent_and([](story&, const segment_view& view) {
            bury_holder(view, beside);
            const auto adopter = view.bury_member(beside + 1, layout::role::consumer);
            view.bury_lease(adopter, 0, behind(three, 2));
            view.member(beside + 1).lease.attempts = 1;
            view.group(0).lock = adopter;
        }),
        consume_all,
        ending::whole,
        {"work", "all"},
        first_four,
        false,
    });
}

TEST_CASE("every instruction: a member dies while it repairs what another death left") {
    survive_every_instruction({
        "send, with the tail lock taken from the dead",
        having_sent_and([](story& of, const segment_view& view) {
            bury_sender(of, view, beside);
            of.offered = {{"sent"}};
        }),
        [](const std::string& name, const marks& mark) {
            producer out{ring::open(name)};
            mark.begin();
            out.send(bytes("sent"));
            ++mark.note().returned;
            mark.end();
        },
        ending::truncated,
        {"work", "all"},
        first_four,
        false,
    });
    survive_every_instruction({
        "claim, with the group lock taken from the dead",
        [](const std::string& name) { return sent_before(name, three); },
        [](const std::string& name, const marks& mark) {
            auto in = member_of("work", name);
            bury_claimer(segment_view{path_of(name)},
                         beside);  // now: attaching would have repaired it
            mark.begin();
            take_all(in, mark);
            mark.end();
        },
        ending::whole,
        {"work", "all"},
        first_four,
        false,
    });
    survive_every_instruction({
        "attach in the place of a producer that died in a loan and in a send",
        having_sent_and([](story& of, const segment_view& view) {
            bury_lender(of, view, in_place);
            of.sent.push_back("of the dead");
            const auto dead = view.member_in(in_place);
            view.append().lock = dead;
            view.forge_message(view.append().tail, view.append().sequence, of.sent.back(), dead,
                               layout::word::committed);
        }),
        attach_producer,
        ending::truncated,
        {"work", "all"},
        first_four,
        false,
    });
    survive_every_instruction({
        "attach in the place of a consumer that died in a claim",
        having_sent_and([](story&, const segment_view& view) { bury_claimer(view, in_place); }),
        attach_consumer,
        ending::whole,
        {"work", "all"},
        {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11},
        false,
    });
    survive_every_instruction({
        "discard the loan of a dead producer",
        having_sent_and([](story& of, const segment_view& view) { bury_lender(of, view, beside); }),
        consume_all,
        ending::truncated,
    });
}
