// Two processes, two locks: a deadlock found before it happens, and two ways not to have one.
#include <mutex>

#include "examples/processes.hpp"
#include "sync/lock_order.hpp"
#include "sync/mutex.hpp"

using namespace ringpipe;

// What each of the processes does with the two locks, in its own order.
using work = void (*)(sync::mutex& mine, sync::mutex& other);

// One after the other: nobody is stuck this time, and still the order is found to be wrong.
void nested(sync::mutex& mine, sync::mutex& other) {
    const std::lock_guard first{mine};
    const std::lock_guard second{other};
}

// std::scoped_lock never waits for one while it holds the other.
void both_at_once(sync::mutex& mine, sync::mutex& other) {
    const std::scoped_lock both{mine, other};
}

bool try_it(const std::string& name, work each) {
    sync::space_options watched;
    watched.lock_order = true;  // or RINGPIPE_LOCK_ORDER=1
    const auto once = [&](bool turned) {
        return examples::in_processes(1, [&](int) {
            const auto space = sync::space::open_or_create(name, watched);
            // Without this, a line on stderr. Throwing prevents the wait.
            sync::on_lock_order_inversion([](const sync::lock_order_inversion& found) {
                std::printf(
                    "found: '%s' is wanted while '%s' is held, and was held while '%s' "
                    "was wanted\n",
                    found.wanted.c_str(), found.held[0].c_str(), found.held[0].c_str());
            });
            sync::mutex fork{space, "fork"};
            sync::mutex knife{space, "knife"};
            turned ? each(knife, fork) : each(fork, knife);
        });
    };
    return once(false) && once(true);
}

int main() {
    const examples::temporary_space temporary;
    std::printf("one after the other\n");
    bool all_well = try_it(temporary.name, nested);
    std::printf("both at once\n");
    all_well = try_it(temporary.name, both_at_once) && all_well;

    std::printf("always in the same order\n");
    all_well = examples::in_processes(2,
                                      [&](int) {
                                          const auto space = sync::space::open(temporary.name);
                                          sync::mutex fork{space, "fork"};
                                          sync::mutex knife{space, "knife"};
                                          for (int i = 0; i < 1000; ++i) { nested(fork, knife); }
                                      }) &&
               all_well;
    std::printf("nobody is stuck\n");
    return all_well ? 0 : 1;
}
