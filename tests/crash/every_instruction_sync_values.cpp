// Killed at every instruction of counting_semaphore, event, barrier and cell, and of making a space:
// what was promised stands, and nobody sees a half.
#include <array>

#include "sync/barrier.hpp"
#include "sync/cell.hpp"
#include "sync/counting_semaphore.hpp"
#include "sync/event.hpp"
#include "sync/mutex.hpp"
#include "tests/crash/every_instruction_sync.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// A count, or an event, that goes from one value to another and back.
template <class T>
std::string one_of(const progress& told, T value, T before, T between, T behind) {
    if (told.holds()     ? value == between
        : told.is_over() ? value == behind
                         : value == before || value == between || (told.done && value == behind)) {
        return "";
    }
    return "it is not what was promised";
}

using value = std::array<std::uint64_t, 9>;

value all(std::uint64_t n) {
    value v;
    v.fill(n);
    return v;
}

auto counting_semaphore_survives(std::uint32_t before, std::uint32_t between,
                                 std::uint32_t behind) {
    return [=](const sync::space& s, const progress& told) {
        const sync::counting_semaphore c{s, "c"};
        return one_of(told, c.count(), before, between, behind);
    };
}

std::string event_survives(const sync::space& s, const progress& told) {
    sync::event e{s, "e"};
    auto wrong = one_of(told, e.is_set(), false, true, false);
    e.set();
    return e.wait_for(0ms) ? wrong : "it cannot be set";
}

auto a_cell_with_a_value() {
    return died_behind<sync::cell_writer<value>>(
        "c", [](sync::cell_writer<value>& out) { out.write(all(1)); });
}

}  // namespace

TEST_CASE("every instruction: counting semaphore release and acquire") {
    survive_every_instruction({
        "counting_semaphore",
        made<sync::counting_semaphore>("c", 3U),
        with<sync::counting_semaphore>("c",
                                       [](sync::counting_semaphore& c, notes& n) {
                                           c.release();
                                           tell(n.returned);
                                           tell(n.acknowledging);
                                           c.acquire();
                                           tell(n.acknowledged);
                                       }),
        counting_semaphore_survives(3, 4, 3),
    });
}

TEST_CASE("every instruction: event set and clear") {
    survive_every_instruction({
        "event",
        made<sync::event>("e"),
        with<sync::event>("e",
                          [](sync::event& e, notes& n) {
                              e.set();
                              tell(n.returned);
                              e.wait();
                              tell(n.acknowledging);
                              e.clear();
                              tell(n.acknowledged);
                          }),
        event_survives,
    });
}

TEST_CASE("every instruction: barrier joined and passed and left") {
    survive_every_instruction({
        "barrier",
        [](const std::string& s) {
            and_die(s, [](const auto& sp) {
                sync::barrier b{sp, "b", 2};
                sync::barrier second{sp, "b"};  // all seats are made, one is left
                (void)b.arrive_and_wait_for(0ms);
            });
        },
        [](const std::string& space, const marks& mark) {
            const auto mine = sync::space::open(space);
            mark.begin();
            {
                sync::barrier one{mine, "b"};
                sync::barrier two{mine, "b"};
                (void)one.arrive_and_wait_for(0ms);
                two.arrive_and_wait();
                tell(mark.note().returned);
                one.arrive_and_wait();
            }
            mark.end();
        },
        [](const sync::space& s, const progress& told) -> std::string {
            sync::barrier one{s, "b", 2};
            sync::barrier two{s, "b"};
            const auto before = one.phase();
            if (told.done && before < 1) { return "a phase that was passed is not counted"; }
            if (before > 1) { return "a phase is counted that was none"; }
            if (one.arrive_and_wait_for(0ms)) { return "a party goes on alone"; }
            if (!two.arrive_and_wait_for(sync_limit)) { return "the last party has to wait"; }
            if (!one.arrive_and_wait_for(sync_limit)) { return "the first party is not let go"; }
            return one.phase() == before + 1 ? "" : "it was not one phase";
        },
    });
}

TEST_CASE("every instruction: cell written") {
    survive_every_instruction({
        "cell",
        a_cell_with_a_value(),
        [](const std::string& space, const marks& mark) {
            const auto mine = sync::space::open(space);
            mark.begin();
            {
                sync::cell_writer<value> out{mine, "c"};
                out.write(all(2));
                tell(mark.note().returned);
            }
            mark.end();
        },
        [](const sync::space& s, const progress& told) -> std::string {
            const sync::cell<value> in{s, "c"};
            const auto seen = in.read();
            if (!seen) { return "the value is gone"; }
            const bool old = *seen == all(1);
            if (!old && *seen != all(2)) { return "half of a value is seen"; }
            if (old && told.done) { return "what was written is lost"; }
            for (std::uint64_t n = 3; n < 9; ++n) {
                sync::cell_writer<value>{s, "c"}.write(all(n));
                if (in.read() != all(n)) { return "what is written next is not seen"; }
            }
            return "";
        },
    });
}

TEST_CASE("every instruction: a space made and joined and a name made in it") {
    const auto act = [](const std::string& space, const marks& mark) {
        mark.begin();
        {
            const auto mine = sync::space::open_or_create(space, stepping_space());
            sync::counting_semaphore old{mine, "old", 3};
            sync::counting_semaphore mew{mine, "new", 5};
            tell(mark.note().returned);
        }
        mark.end();
    };
    const auto survive = [](const sync::space& s, const progress&) -> std::string {
        const sync::counting_semaphore old{s, "old", 3};
        const sync::counting_semaphore mew{s, "new", 5};
        sync::mutex third{s, "third"};
        if (old.count() != 3 || mew.count() != 5) { return "a count is not what it was made with"; }
        return third.try_lock() ? "" : "a new mutex is taken";
    };
    survive_every_instruction(
        {"space joined", made<sync::counting_semaphore>("old", 3U), act, survive});
    survive_every_instruction({"space made", [](const std::string&) {}, act, survive});
}

// ---------------------------------------------------------------- who waits, and is woken

TEST_CASE("every instruction: counting semaphore waited for and raised behind a waiter") {
    survive_every_instruction({
        "counting_semaphore waited for",
        made<sync::counting_semaphore>("c", 0U),
        with<sync::counting_semaphore>("c",
                                       [](sync::counting_semaphore& c, notes& n) {
                                           (void)c.try_acquire_for(2ms);
                                           c.release(2);
                                           tell(n.returned);
                                           tell(n.acknowledging);
                                           c.acquire();
                                           tell(n.acknowledged);
                                       }),
        counting_semaphore_survives(0, 2, 1),
    });
}

TEST_CASE("every instruction: event waited for and set behind a waiter") {
    survive_every_instruction({
        "event waited for",
        made<sync::event>("e"),
        with<sync::event>("e",
                          [](sync::event& e, notes& n) {
                              (void)e.wait_for(2ms);
                              e.set();
                              tell(n.returned);
                              tell(n.acknowledging);
                              e.clear();
                              tell(n.acknowledged);
                          }),
        event_survives,
    });
}

TEST_CASE("every instruction: cell read and waited for and written behind a waiter") {
    survive_every_instruction({
        "cell read",
        a_cell_with_a_value(),
        [](const std::string& space, const marks& mark) {
            const auto mine = sync::space::open(space);
            const sync::cell<value> in{mine, "c"};
            sync::cell_writer<value> out{mine, "c"};
            mark.begin();
            bool whole = in.read() == all(1);
            (void)in.wait_for(in.version(), 2ms);
            out.write(all(2));  // somebody was announced: this wakes
            whole = whole && in.read() == all(2);
            if (whole) { tell(mark.note().returned); }
            mark.end();
        },
        [](const sync::space& s, const progress& told) -> std::string {
            const sync::cell<value> in{s, "c"};
            const auto seen = in.read();
            if (!seen) { return "the value is gone"; }
            if (*seen != all(1) && *seen != all(2)) { return "half of a value is seen"; }
            if (told.done && *seen != all(2)) { return "what was written is lost"; }
            sync::cell_writer<value>{s, "c"}.write(all(3));
            return in.read() == all(3) ? "" : "what is written next is not seen";
        },
    });
}
