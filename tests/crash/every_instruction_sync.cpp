// Killed at every instruction of mutex, semaphore and shared_mutex: what was held comes back, nobody
// waits, and who comes next is told. What has no holder: every_instruction_sync_values.cpp.
#include "tests/crash/every_instruction_sync.hpp"

#include "sync/mutex.hpp"
#include "sync/semaphore.hpp"
#include "sync/shared_mutex.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

const auto made = [](const std::string& space) {
    (void)sync::space::create(space, stepping_space());
};

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

// ---------------------------------------------------------------- who waits, and gives up

TEST_CASE("every instruction: semaphore waited for and given up and given back to a waiter") {
    survive_every_instruction(sync_operation{
        "semaphore waited for",
        [](const std::string& s) {
            and_die(s, [](const auto& sp) { sync::semaphore{sp, "s", 2}; });
        },
        [](const std::string& space, const marks& mark) {
            const auto mine = sync::space::open(space);
            const auto other = sync::space::open(space);
            sync::semaphore held{other, "s"};
            sync::semaphore sut{mine, "s"};
            held.acquire();
            held.acquire();
            mark.begin();
            (void)sut.try_acquire_for(2ms);
            held.release();  // somebody was announced: this wakes
            held.release();
            mark.end();
        },
        [](const sync::space& s, const progress&) { return semaphore_survives(s); }});
}

TEST_CASE("every instruction: shared mutex that readers keep a writer waiting for") {
    survive_every_instruction(sync_operation{"shared_mutex, writer gives up", made,
                                             [](const std::string& space, const marks& mark) {
                                                 const auto mine = sync::space::open(space);
                                                 const auto other = sync::space::open(space);
                                                 sync::shared_mutex read{other, "m"};
                                                 sync::shared_mutex sut{mine, "m"};
                                                 read.lock_shared();
                                                 mark.begin();
                                                 (void)sut.try_lock_for(2ms);
                                                 read.unlock_shared();
                                                 mark.end();
                                             },
                                             // It never was in: nothing was written.
                                             [](const sync::space& s, const progress&) {
                                                 return shared_mutex_survives(s, false, true);
                                             }});
}

TEST_CASE("every instruction: shared mutex that a writer keeps a reader waiting for") {
    survive_every_instruction(
        sync_operation{"shared_mutex, reader gives up", made,
                       [](const std::string& space, const marks& mark) {
                           const auto mine = sync::space::open(space);
                           const auto other = sync::space::open(space);
                           sync::shared_mutex written{other, "m"};
                           sync::shared_mutex sut{mine, "m"};
                           written.lock();
                           mark.begin();
                           (void)sut.try_lock_shared_for(2ms);
                           tell(mark.note().acknowledging);
                           written.unlock();
                           tell(mark.note().acknowledged);
                           mark.end();
                       },
                       // The writer dies with the reader, and was in until it had unlocked.
                       [](const sync::space& s, const progress& told) {
                           return shared_mutex_survives(s, !told.undoing, told.undone);
                       }});
}

TEST_CASE("every instruction: shared mutex of a dead writer marked consistent") {
    survive_every_instruction(
        sync_operation{"shared_mutex marked consistent",
                       [](const std::string& s) {
                           and_die(s, [](const auto& sp) { sync::shared_mutex{sp, "m"}.lock(); });
                       },
                       with<sync::shared_mutex>("m",
                                                [](sync::shared_mutex& m, notes& n) {
                                                    m.lock();
                                                    tell(n.acknowledging);
                                                    m.mark_consistent();
                                                    m.unlock();
                                                    tell(n.acknowledged);
                                                }),
                       [](const sync::space& s, const progress& told) {
                           return shared_mutex_survives(s, !told.undoing, told.undone);
                       }});
}
