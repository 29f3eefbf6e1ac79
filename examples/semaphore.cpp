// Five processes, two seats: no more than two are ever inside, and a seat comes back from the dead.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <mutex>
#include <thread>

#include "examples/processes.hpp"
#include "sync/cell.hpp"
#include "sync/mutex.hpp"
#include "sync/semaphore.hpp"

using namespace ringpipe;

struct counts {
    int inside;
    int most;
};

// Changes what all processes share; the mutex is there because a cell has one writer at a time.
void count(const sync::space& space, int change) {
    sync::mutex guard{space, "guard"};
    const std::lock_guard hold{guard};
    sync::cell_writer<counts> out{space, "counts"};
    auto now = sync::cell<counts>{space, "counts"}.read().value_or(counts{});
    now.inside += change;
    now.most = std::max(now.most, now.inside);
    out.write(now);
}

int main() {
    const examples::temporary_space temporary;
    const bool all_well = examples::in_processes(5, [&](int i) {
        const auto space = sync::space::open(temporary.name);
        sync::semaphore seats{space, "seats", 2};
        for (int turn = 0; turn < 3; ++turn) {
            const std::lock_guard sit{seats};
            count(space, +1);
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
            count(space, -1);
        }
        std::printf("process %d had its turns\n", i);
    });

    // One that is killed while it sits.
    examples::in_processes(1, [&](int) {
        const auto space = sync::space::open(temporary.name);
        sync::semaphore seats{space, "seats"};
        seats.acquire();
        std::raise(SIGKILL);
    });
    const auto space = sync::space::open(temporary.name);
    sync::semaphore seats{space, "seats"};
    seats.acquire();
    seats.acquire();
    std::printf("both seats are free again\n");
    const auto seen = sync::cell<counts>{space, "counts"}.read();
    std::printf("most at once: %d\n", seen->most);
    return all_well && seen->most <= 2 ? 0 : 1;
}
