// What a future can become: a value, an exception, cancelled, too late, the death of its worker. And the
// order in which futures become ready is not that of their tasks.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <ringpipe/common/deadline.hpp>
#include <ringpipe/pool/process_pool.hpp>

using namespace std::chrono_literals;
namespace pool = ringpipe::pool;

int double_it(int number) { return 2 * number; }
RINGPIPE_TASK(double_it);

int refuse(int number) {
    throw std::out_of_range{"no number is good, not even " + std::to_string(number)};
}
RINGPIPE_TASK(refuse);

int die(int signal) { return std::raise(signal); }
RINGPIPE_TASK(die);

int sleep_for(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
    return milliseconds;
}
RINGPIPE_TASK(sleep_for);

int main() {
    pool::run_worker_if_asked();  // in a worker this does not return

    ringpipe::process_pool two{{.min_workers = 2, .max_workers = 2}};

    auto value = two.submit(double_it, 21);
    std::printf("a value: %d\n", value.get());

    auto exception = two.submit(refuse, 1);
    try {
        exception.get();
    } catch (const pool::task_exception& thrown) {
        std::printf("an exception: %s\n", thrown.what());
    }

    auto death = two.submit(die, SIGKILL);
    try {
        death.get();
    } catch (const pool::worker_died& died) {
        std::printf("a death: signal %d; the pool goes on\n", died.signal());
    }

    pool::task_options soon;
    soon.until = ringpipe::after(100ms);
    auto late = two.submit(pool::call(sleep_for, 1'000'000), soon);
    try {
        late.get();
    } catch (const ringpipe::error& failed) { std::printf("too late: %s\n", failed.what()); }

    // Both workers are busy: a third task has not begun, and so can be cancelled.
    std::vector<pool::future<int>> busy;
    for (int i = 0; i < 2; ++i) { busy.push_back(two.submit(sleep_for, 1000)); }
    auto waiting = two.submit(double_it, 1);
    std::printf("cancelled: %s\n", waiting.cancel() ? "yes" : "no");
    for (auto& each : busy) { each.get(); }

    // The longer one was submitted first, and is ready last.
    const std::vector<int> milliseconds{1500, 1};
    two.map_as_completed(sleep_for, milliseconds, [](std::size_t, pool::future<int> done) {
        std::printf("as completed: %d ms\n", done.get());
    });
}
