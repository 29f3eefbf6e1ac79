// Killed at every instruction of the repairs of what another death left: leases adopted, locks
// taken from the dead, their messages finished or discarded. See every_instruction.hpp for how.
#include "tests/crash/every_instruction_acts.hpp"
#include "tests/support/segment_view.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

const std::vector<std::string> three = {"one", "two", "three"};
const std::vector<std::uint32_t> first_four = {0, 1, 2, 3};

// Where those sit who were dead before, beside the child and in its place.
constexpr std::uint32_t beside = 8;
constexpr std::uint32_t in_place = 4;

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

preparation having_sent_and(const std::function<void(story&, const segment_view&)>& then) {
    return [then](const std::string& name) {
        auto before = sent_before(name, three);
        then(before, segment_view{path_of(name)});
        return before;
    };
}

void consume_all(const std::string& name, const marks& mark) {
    auto in = member_of("work", name);
    mark.begin();
    take_all(in, mark);
    mark.end();
}

}  // namespace

TEST_CASE("every instruction: a consumer dies while it adopts the lease of another that died") {
    const preparation dead_holder =
        having_sent_and([](story&, const segment_view& view) { bury_holder(view, beside); });
    // A bystander would have adopted it already, when it attached: none in these.
    survive_every_instruction({
        "adopt",
        having_sent(three),
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
        send("sent"),
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
