// Killed at every instruction of what sync's primitives do: what was held comes back, nobody waits,
// and what was promised stands.
#include "tests/crash/every_instruction_sync.hpp"

#include <array>

#include "sync/barrier.hpp"
#include "sync/cell.hpp"
#include "sync/counting_semaphore.hpp"
#include "sync/event.hpp"
#include "sync/mutex.hpp"
#include "sync/semaphore.hpp"
#include "sync/shared_mutex.hpp"
#include "tests/support/child.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// In another process, which then is dead: what it held is a dead one's.
void and_die(const std::string& space, const std::function<void(const sync::space&)>& act) {
    child dies{[&](const in_child& parent) {
        const auto theirs = sync::space::open_or_create(space, stepping_space());
        act(theirs);
        parent.tell_and_stay();
        return 0;
    }};
    REQUIRE(dies.await());
}

const auto made = [](const std::string& space) {
    (void)sync::space::create(space, stepping_space());
};

void tell(std::atomic<std::uint32_t>& what) { what = 1; }

// Attached, and within the marks; the primitive goes before the end.
template <class Primitive, class Do>
auto with(const char* name, Do act) {
    return [name, act](const std::string& space, const marks& mark) {
        const auto mine = sync::space::open(space);
        Primitive sut{mine, name};
        mark.begin();
        act(sut, mark.note());
        mark.end();
    };
}

// The mark of a dead owner: there if he died holding it, not if he had given it back.
template <class Mutex>
std::string check_mark(const Mutex& m, bool must, bool must_not) {
    if (must && !m.recovered()) { return "its owner died, and nobody is told"; }
    if (must_not && m.recovered()) { return "nobody died holding it, and yet it is said"; }
    return "";
}

std::string mutex_survives(const sync::space& space, bool must, bool must_not) {
    sync::mutex m{space, "m"};
    if (!m.try_lock_for(sync_limit)) { return "nobody gets the mutex"; }
    auto wrong = check_mark(m, must, must_not);
    m.unlock();
    const auto other = sync::space::open(space.name());
    sync::mutex again{other, "m"};
    if (!again.try_lock()) { return "the next one does not get the mutex"; }
    again.unlock();
    return wrong;
}

std::string shared_mutex_survives(const sync::space& space, bool must, bool must_not) {
    sync::shared_mutex m{space, "m"};
    const auto other = sync::space::open(space.name());
    sync::shared_mutex again{other, "m"};
    if (!m.try_lock_shared_for(sync_limit)) { return "no reader gets in"; }
    auto wrong = check_mark(m, must, must_not);
    if (!again.try_lock_shared_for(sync_limit)) { return "no second reader gets in"; }
    if (again.try_lock()) { return "a writer gets in beside two readers"; }
    m.unlock_shared();
    again.unlock_shared();
    if (!again.try_lock_for(sync_limit)) { return "no writer gets in"; }
    if (m.try_lock_shared()) { return "a reader gets in beside a writer"; }
    again.unlock();
    return wrong;
}

std::string semaphore_survives(const sync::space& space) {
    sync::semaphore s{space, "s", 2};
    if (s.available() != 2) { return "a dead one's unit is missing"; }
    for (int i = 0; i < 2; ++i) {
        if (!s.try_acquire_for(sync_limit)) { return "a unit cannot be had"; }
    }
    if (s.try_acquire()) { return "there is a unit too many"; }
    s.release();
    s.release();
    return s.available() == 2 ? "" : "a unit is missing";
}

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

}  // namespace

TEST_CASE("every instruction: mutex lock and unlock") {
    survive_every_instruction(sync_operation{
        "mutex",
        [](const std::string& s) { and_die(s, [](const auto& sp) {
                                       sync::mutex{sp, "m"};
                                   }); },
        with<sync::mutex>("m",
                          [](sync::mutex& m, notes& n) {
                              m.lock();
                              tell(n.returned);
                              tell(n.acknowledging);
                              m.unlock();
                              tell(n.acknowledged);
                          }),
        [](const sync::space& s, const progress& told) {
            return mutex_survives(s, told.holds(), told.is_over());
        }});
}

TEST_CASE("every instruction: mutex taken over from the dead and marked consistent") {
    survive_every_instruction(
        sync_operation{"mutex taken over",
                       [](const std::string& s) {
                           and_die(s, [](const sync::space& sp) { sync::mutex{sp, "m"}.lock(); });
                       },
                       with<sync::mutex>("m",
                                         [](sync::mutex& m, notes& n) {
                                             m.lock();
                                             tell(n.acknowledging);
                                             m.mark_consistent();
                                             m.unlock();
                                             tell(n.acknowledged);
                                         }),
                       [](const sync::space& s, const progress& told) {
                           return mutex_survives(s, !told.undoing, told.undone);
                       }});
}

TEST_CASE("every instruction: mutex waited for and given up") {
    survive_every_instruction(sync_operation{"mutex waited for", made,
                                             [](const std::string& space, const marks& mark) {
                                                 const auto mine = sync::space::open(space);
                                                 const auto other = sync::space::open(space);
                                                 sync::mutex held{other, "m"};
                                                 sync::mutex sut{mine, "m"};
                                                 held.lock();
                                                 mark.begin();
                                                 (void)sut.try_lock_for(2ms);
                                                 held.unlock();
                                                 tell(mark.note().acknowledged);
                                                 mark.end();
                                             },
                                             [](const sync::space& s, const progress& told) {
                                                 return mutex_survives(s, false, told.undone);
                                             }});
}

TEST_CASE("every instruction: semaphore acquire and release") {
    survive_every_instruction(sync_operation{
        "semaphore",
        [](const std::string& s) {
            and_die(s, [](const auto& sp) { sync::semaphore{sp, "s", 2}; });
        },
        with<sync::semaphore>("s",
                              [](sync::semaphore& s, notes&) {
                                  s.acquire();
                                  s.acquire();
                                  s.release();
                                  s.release();
                              }),
        [](const sync::space& s, const progress&) { return semaphore_survives(s); }});
}

TEST_CASE("every instruction: semaphore taken from the dead") {
    survive_every_instruction(sync_operation{
        "semaphore taken from the dead",
        [](const std::string& s) {
            and_die(s, [](const auto& sp) {
                sync::semaphore sem{sp, "s", 2};
                sem.acquire();
                sem.acquire();
            });
        },
        with<sync::semaphore>("s",
                              [](sync::semaphore& s, notes&) {
                                  if (s.try_acquire()) { s.release(); }
                              }),
        [](const sync::space& s, const progress&) { return semaphore_survives(s); }});
}

TEST_CASE("every instruction: counting semaphore release and acquire") {
    survive_every_instruction(
        sync_operation{"counting_semaphore",
                       [](const std::string& s) {
                           and_die(s, [](const auto& sp) { sync::counting_semaphore{sp, "c", 3}; });
                       },
                       with<sync::counting_semaphore>("c",
                                                      [](sync::counting_semaphore& c, notes& n) {
                                                          c.release();
                                                          tell(n.returned);
                                                          tell(n.acknowledging);
                                                          c.acquire();
                                                          tell(n.acknowledged);
                                                      }),
                       [](const sync::space& s, const progress& told) {
                           const sync::counting_semaphore c{s, "c"};
                           return one_of<std::uint32_t>(told, c.count(), 3, 4, 3);
                       }});
}

TEST_CASE("every instruction: shared mutex written") {
    survive_every_instruction(
        sync_operation{"shared_mutex, writer",
                       [](const std::string& s) {
                           and_die(s, [](const auto& sp) { sync::shared_mutex{sp, "m"}; });
                       },
                       with<sync::shared_mutex>("m",
                                                [](sync::shared_mutex& m, notes& n) {
                                                    m.lock();
                                                    tell(n.returned);
                                                    tell(n.acknowledging);
                                                    m.unlock();
                                                    tell(n.acknowledged);
                                                }),
                       [](const sync::space& s, const progress& told) {
                           return shared_mutex_survives(s, told.holds(), told.is_over());
                       }});
}

TEST_CASE("every instruction: shared mutex read") {
    survive_every_instruction(
        sync_operation{"shared_mutex, reader",
                       [](const std::string& s) {
                           and_die(s, [](const auto& sp) { sync::shared_mutex{sp, "m"}; });
                       },
                       with<sync::shared_mutex>("m",
                                                [](sync::shared_mutex& m, notes&) {
                                                    m.lock_shared();
                                                    m.lock_shared();
                                                    m.unlock_shared();
                                                    m.unlock_shared();
                                                }),
                       [](const sync::space& s, const progress&) {
                           return shared_mutex_survives(s, false, true);
                       }});
}

TEST_CASE("every instruction: shared mutex taken over from a dead writer by a reader") {
    survive_every_instruction(
        sync_operation{"shared_mutex, reader behind a dead writer",
                       [](const std::string& s) {
                           and_die(s, [](const auto& sp) { sync::shared_mutex{sp, "m"}.lock(); });
                       },
                       with<sync::shared_mutex>("m",
                                                [](sync::shared_mutex& m, notes&) {
                                                    m.lock_shared();
                                                    m.unlock_shared();
                                                }),
                       [](const sync::space& s, const progress&) {
                           return shared_mutex_survives(s, true, false);
                       }});
}

TEST_CASE("every instruction: shared mutex written behind a dead reader") {
    survive_every_instruction(sync_operation{
        "shared_mutex, writer behind a dead reader",
        [](const std::string& s) {
            and_die(s, [](const auto& sp) { sync::shared_mutex{sp, "m"}.lock_shared(); });
        },
        [](const std::string& space, const marks& mark) {
            const auto beside = sync::space::open(space);  // in the slot of the dead
            const auto mine = sync::space::open(space);
            sync::shared_mutex m{mine, "m"};
            mark.begin();
            m.lock();
            tell(mark.note().returned);
            tell(mark.note().acknowledging);
            m.unlock();
            tell(mark.note().acknowledged);
            mark.end();
        },
        [](const sync::space& s, const progress& told) {
            return shared_mutex_survives(s, told.holds(), told.is_over());
        }});
}

TEST_CASE("every instruction: event set and clear") {
    survive_every_instruction(sync_operation{
        "event",
        [](const std::string& s) { and_die(s, [](const auto& sp) {
                                       sync::event{sp, "e"};
                                   }); },
        with<sync::event>("e",
                          [](sync::event& e, notes& n) {
                              e.set();
                              tell(n.returned);
                              e.wait();
                              tell(n.acknowledging);
                              e.clear();
                              tell(n.acknowledged);
                          }),
        [](const sync::space& s, const progress& told) -> std::string {
            sync::event e{s, "e"};
            auto wrong = one_of(told, e.is_set(), false, true, false);
            e.set();
            return e.wait_for(0ms) ? wrong : "it cannot be set";
        }});
}

TEST_CASE("every instruction: barrier joined and passed and left") {
    survive_every_instruction(
        sync_operation{"barrier",
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
                           if (told.done && before < 1) {
                               return "a phase that was passed is not counted";
                           }
                           if (before > 1) { return "a phase is counted that was none"; }
                           if (one.arrive_and_wait_for(0ms)) { return "a party goes on alone"; }
                           if (!two.arrive_and_wait_for(sync_limit)) {
                               return "the last party has to wait";
                           }
                           if (!one.arrive_and_wait_for(sync_limit)) {
                               return "the first party is not let go";
                           }
                           return one.phase() == before + 1 ? "" : "it was not one phase";
                       }});
}

TEST_CASE("every instruction: cell written") {
    survive_every_instruction(sync_operation{
        "cell",
        [](const std::string& s) {
            and_die(s, [](const auto& sp) { sync::cell_writer<value>{sp, "c"}.write(all(1)); });
        },
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
        }});
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
    survive_every_instruction(sync_operation{"space joined",
                                             [](const std::string& s) {
                                                 and_die(s, [](const auto& sp) {
                                                     sync::counting_semaphore{sp, "old", 3};
                                                 });
                                             },
                                             act, survive});
    survive_every_instruction(
        sync_operation{"space made", [](const std::string&) {}, act, survive});
}
