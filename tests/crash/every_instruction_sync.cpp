// Killed at every instruction of mutex, semaphore and shared_mutex: what was held comes back, nobody
// waits, and who comes next is told. What has no holder: every_instruction_sync_values.cpp.
#include "tests/crash/every_instruction_sync.hpp"

#include "sync/mutex.hpp"
#include "sync/semaphore.hpp"
#include "sync/shared_mutex.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// When the mark of a dead owner has to be there, and when it must not; else it may be or not.
struct mark_of_the_dead {
    bool must;
    bool must_not;
};
using mark_rule = mark_of_the_dead (*)(const progress& told);

// There if he died holding it, not if he had given it back.
mark_of_the_dead while_held(const progress& told) { return {told.holds(), told.is_over()}; }
// It was there before, and goes when he gives back what he marked consistent.
mark_of_the_dead until_given_back(const progress& told) { return {!told.undoing, told.undone}; }
mark_of_the_dead always_marked(const progress&) { return {true, false}; }
mark_of_the_dead never_marked(const progress&) { return {false, true}; }

template <class Mutex>
std::string check_mark(const Mutex& m, mark_of_the_dead expected) {
    if (expected.must && !m.recovered()) { return "its owner died, and nobody is told"; }
    if (expected.must_not && m.recovered()) { return "nobody died holding it, and yet it is said"; }
    return "";
}

auto mutex_survives(mark_rule rule) {
    return [rule](const sync::space& space, const progress& told) -> std::string {
        sync::mutex m{space, "m"};
        if (!m.try_lock_for(sync_limit)) { return "nobody gets the mutex"; }
        auto wrong = check_mark(m, rule(told));
        m.unlock();
        const auto other = sync::space::open(space.name());
        sync::mutex again{other, "m"};
        if (!again.try_lock()) { return "the next one does not get the mutex"; }
        again.unlock();
        return wrong;
    };
}

auto shared_mutex_survives(mark_rule rule) {
    return [rule](const sync::space& space, const progress& told) -> std::string {
        sync::shared_mutex m{space, "m"};
        const auto other = sync::space::open(space.name());
        sync::shared_mutex again{other, "m"};
        if (!m.try_lock_shared_for(sync_limit)) { return "no reader gets in"; }
        auto wrong = check_mark(m, rule(told));
        if (!again.try_lock_shared_for(sync_limit)) { return "no second reader gets in"; }
        if (again.try_lock()) { return "a writer gets in beside two readers"; }
        m.unlock_shared();
        again.unlock_shared();
        if (!again.try_lock_for(sync_limit)) { return "no writer gets in"; }
        if (m.try_lock_shared()) { return "a reader gets in beside a writer"; }
        again.unlock();
        return wrong;
    };
}

std::string semaphore_survives(const sync::space& space, const progress&) {
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

// What is done to them: locked, given back, and told.
constexpr auto lock = [](auto& m) { m.lock(); };
constexpr auto lock_shared = [](sync::shared_mutex& m) { m.lock_shared(); };
constexpr auto acquire_both = [](sync::semaphore& s) {
    s.acquire();
    s.acquire();
};
constexpr auto lock_and_unlock = [](auto& m, notes& n) {
    m.lock();
    tell(n.returned);
    tell(n.acknowledging);
    m.unlock();
    tell(n.acknowledged);
};
constexpr auto lock_and_mark_consistent = [](auto& m, notes& n) {
    m.lock();
    tell(n.acknowledging);
    m.mark_consistent();
    m.unlock();
    tell(n.acknowledged);
};

}  // namespace

TEST_CASE("every instruction: mutex lock and unlock") {
    survive_every_instruction({
        "mutex",
        made<sync::mutex>("m"),
        with<sync::mutex>("m", lock_and_unlock),
        mutex_survives(while_held),
    });
}

TEST_CASE("every instruction: mutex taken over from the dead and marked consistent") {
    survive_every_instruction({
        "mutex taken over",
        died_behind<sync::mutex>("m", lock),
        with<sync::mutex>("m", lock_and_mark_consistent),
        mutex_survives(until_given_back),
    });
}

TEST_CASE("every instruction: mutex waited for and given up") {
    survive_every_instruction({
        "mutex waited for",
        an_empty_space,
        with_taken<sync::mutex>("m", lock,
                                [](sync::mutex& m, sync::mutex& held, notes& n) {
                                    (void)m.try_lock_for(2ms);
                                    held.unlock();
                                    tell(n.acknowledged);
                                }),
        mutex_survives(while_held),
    });
}

TEST_CASE("every instruction: semaphore acquire and release") {
    survive_every_instruction({
        "semaphore",
        made<sync::semaphore>("s", 2U),
        with<sync::semaphore>("s",
                              [](sync::semaphore& s, notes&) {
                                  s.acquire();
                                  s.acquire();
                                  s.release();
                                  s.release();
                              }),
        semaphore_survives,
    });
}

TEST_CASE("every instruction: semaphore taken from the dead") {
    survive_every_instruction({
        "semaphore taken from the dead",
        died_behind<sync::semaphore>("s", acquire_both, 2U),
        with<sync::semaphore>("s",
                              [](sync::semaphore& s, notes&) {
                                  if (s.try_acquire()) { s.release(); }
                              }),
        semaphore_survives,
    });
}

TEST_CASE("every instruction: shared mutex written") {
    survive_every_instruction({
        "shared_mutex, writer",
        made<sync::shared_mutex>("m"),
        with<sync::shared_mutex>("m", lock_and_unlock),
        shared_mutex_survives(while_held),
    });
}

TEST_CASE("every instruction: shared mutex read") {
    survive_every_instruction({
        "shared_mutex, reader",
        made<sync::shared_mutex>("m"),
        with<sync::shared_mutex>("m",
                                 [](sync::shared_mutex& m, notes&) {
                                     m.lock_shared();
                                     m.lock_shared();
                                     m.unlock_shared();
                                     m.unlock_shared();
                                 }),
        shared_mutex_survives(never_marked),
    });
}

TEST_CASE("every instruction: shared mutex taken over from a dead writer by a reader") {
    survive_every_instruction({
        "shared_mutex, reader behind a dead writer",
        died_behind<sync::shared_mutex>("m", lock),
        with<sync::shared_mutex>("m",
                                 [](sync::shared_mutex& m, notes&) {
                                     m.lock_shared();
                                     m.unlock_shared();
                                 }),
        shared_mutex_survives(always_marked),
    });
}

TEST_CASE("every instruction: shared mutex written behind a dead reader") {
    survive_every_instruction({
        "shared_mutex, writer behind a dead reader",
        died_behind<sync::shared_mutex>("m", lock_shared),
        [](const std::string& space, const marks& mark) {
            const auto beside = sync::space::open(space);  // in the slot of the dead
            with<sync::shared_mutex>("m", lock_and_unlock)(space, mark);
        },
        shared_mutex_survives(while_held),
    });
}

// ---------------------------------------------------------------- who waits, and gives up

TEST_CASE("every instruction: semaphore waited for and given up and given back to a waiter") {
    survive_every_instruction({
        "semaphore waited for",
        made<sync::semaphore>("s", 2U),
        with_taken<sync::semaphore>("s", acquire_both,
                                    [](sync::semaphore& s, sync::semaphore& held, notes&) {
                                        (void)s.try_acquire_for(2ms);
                                        held.release();  // somebody was announced: this wakes
                                        held.release();
                                    }),
        semaphore_survives,
    });
}

TEST_CASE("every instruction: shared mutex that readers keep a writer waiting for") {
    survive_every_instruction({
        "shared_mutex, writer gives up", an_empty_space,
        with_taken<sync::shared_mutex>("m", lock_shared,
                                       [](sync::shared_mutex& m, sync::shared_mutex& read, notes&) {
                                           (void)m.try_lock_for(2ms);
                                           read.unlock_shared();
                                       }),
        shared_mutex_survives(never_marked),  // he never was in: nothing was written
    });
}

TEST_CASE("every instruction: shared mutex that a writer keeps a reader waiting for") {
    survive_every_instruction({
        "shared_mutex, reader gives up",
        an_empty_space,
        with_taken<sync::shared_mutex>(
            "m", lock,
            [](sync::shared_mutex& m, sync::shared_mutex& written, notes& n) {
                (void)m.try_lock_shared_for(2ms);
                tell(n.acknowledging);
                written.unlock();
                tell(n.acknowledged);
            }),
        // The writer dies with the reader, and was in until it had unlocked.
        shared_mutex_survives(until_given_back),
    });
}

TEST_CASE("every instruction: shared mutex of a dead writer marked consistent") {
    survive_every_instruction({
        "shared_mutex marked consistent",
        died_behind<sync::shared_mutex>("m", lock),
        with<sync::shared_mutex>("m", lock_and_mark_consistent),
        shared_mutex_survives(until_given_back),
    });
}
