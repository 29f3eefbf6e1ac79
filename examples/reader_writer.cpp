// Many readers or one writer: what two numbers in a file say always adds up.
#include <fcntl.h>

#include <array>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>

#include "common/unique_fd.hpp"
#include "examples/processes.hpp"
#include "sync/barrier.hpp"
#include "sync/shared_mutex.hpp"

using namespace ringpipe;

using accounts = std::array<int, 2>;  // their sum is always 100

int main() {
    const examples::temporary_space temporary;
    const ringpipe::unique_fd file{::open("/tmp", O_TMPFILE | O_RDWR, 0600)};
    const accounts start{100, 0};
    if (::pwrite(file.get(), &start, sizeof start, 0) != sizeof start) { return 1; }

    constexpr int processes = 4;
    const bool all_well = examples::in_processes(processes, [&](int i) {
        const auto space = sync::space::open(temporary.name);
        sync::shared_mutex bank{space, "bank"};
        sync::barrier together{space, "together", processes};
        together.arrive_and_wait();  // so that they meet
        accounts now{};
        for (int round = 0; round < 200; ++round) {
            if (i == 0) {  // one after the other: without the lock, a reader sees the middle
                const std::unique_lock writes{bank};
                for (const int account : {0, 1}) {
                    if (::pread(file.get(), &now, sizeof now, 0) != sizeof now) { throw 1; }
                    now.at(static_cast<std::size_t>(account)) += account == 0 ? -1 : +1;
                    if (::pwrite(file.get(), &now, sizeof now, 0) != sizeof now) { throw 1; }
                }
            } else {
                const std::shared_lock reads{bank};
                if (::pread(file.get(), &now, sizeof now, 0) != sizeof now) { throw 1; }
                if (now[0] + now[1] != 100) { throw std::runtime_error{"a reader saw a half"}; }
            }
        }
    });
    accounts end{};
    if (::pread(file.get(), &end, sizeof end, 0) != sizeof end) { return 1; }
    std::printf("in the end %d and %d; every reader saw a sum of 100\n", end[0], end[1]);
    return all_well ? 0 : 1;
}
