// Killed at any instruction of a primitive's operations: see every_instruction.hpp for why copies
// of the file are as good as kills, and a sample of real kills is enough beside them.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "sync/space.hpp"
#include "tests/support/child.hpp"
#include "tests/support/single_step.hpp"
#include "tests/support/space_fixture.hpp"

namespace ringpipe::test {

// How far the child had come. It tells `returned` behind what is promised, `acknowledging` before
// it takes that back, and `acknowledged` behind that.
struct progress {
    explicit progress(const notes& n)
        : done{n.returned != 0}, undoing{n.acknowledging != 0}, undone{n.acknowledged != 0} {}
    bool done, undoing, undone;

    // Certainly in effect, certainly not; else it may be either.
    [[nodiscard]] bool holds() const { return done && !undoing; }
    [[nodiscard]] bool is_over() const { return undone; }

    bool operator==(const progress&) const = default;
};

struct sync_operation {
    std::string name;
    // Makes the space. Whoever it attaches has left again, or is dead.
    std::function<void(const std::string& space)> prepare;
    // In the child: attaches, marks the begin, does it, marks the end.
    std::function<void(const std::string& space, const marks& mark)> act;
    // The survivors: what was wrong, or nothing.
    std::function<std::string(const sync::space& space, const progress& told)> survive;
};

// Small, since its file is read at every instruction, and with short waits.
[[nodiscard]] sync::space_options stepping_space();

// What "nobody waits for the dead" means here: some intervals, and a busy machine.
inline constexpr auto sync_limit = std::chrono::seconds{2};

// All of it for one operation: steps, copies, real kills, and a line that says how many.
void survive_every_instruction(const sync_operation& what);

// ---------------------------------------------------------------- for `prepare` and `act`

// For `prepare`: a space with nothing in it.
inline void an_empty_space(const std::string& space) {
    (void)sync::space::create(space, stepping_space());
}

// For `prepare`: in another process, which then is dead: what it held is a dead one's.
inline void and_die(const std::string& space, const std::function<void(const sync::space&)>& act) {
    child dies{[&](const in_child& parent) {
        const auto theirs = sync::space::open_or_create(space, stepping_space());
        act(theirs);
        parent.tell_and_stay();
        return 0;
    }};
    REQUIRE(dies.await());
}

// For `prepare`: who is dead has made the primitive (of this size, if it has one) and done `act`.
template <class Primitive, class Act, class... Size>
auto died_behind(const char* name, Act act, Size... size) {
    return [name, act, size...](const std::string& space) {
        and_die(space, [&](const sync::space& theirs) {
            Primitive made{theirs, name, size...};
            act(made);
        });
    };
}

// The same, and has done nothing.
template <class Primitive, class... Size>
auto made(const char* name, Size... size) {
    return died_behind<Primitive>(
        name, [](const Primitive&) {}, size...);
}

inline void tell(std::atomic<std::uint32_t>& what) { what = 1; }

// For `act`: attaches, and does it between the marks.
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

// For `act`: the same beside another member, which has taken it before.
template <class Primitive, class Take, class Do>
auto with_taken(const char* name, Take take, Do act) {
    return [name, take, act](const std::string& space, const marks& mark) {
        const auto mine = sync::space::open(space);
        const auto other = sync::space::open(space);
        Primitive taken{other, name};
        Primitive sut{mine, name};
        take(taken);
        mark.begin();
        act(sut, taken, mark.note());
        mark.end();
    };
}

}  // namespace ringpipe::test
