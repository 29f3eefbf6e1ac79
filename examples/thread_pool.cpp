// Five workers, ten tasks, futures: concurrent.futures' Executor.submit, with processes.
#include <unistd.h>

#include <cstdio>
#include <vector>

#include <ringpipe/pool/process_pool.hpp>

struct answer {
    int task;
    int square;
    int worker;  // its process id
    template <class Archive>
    void serialize(Archive& archive) {
        archive(task, square, worker);
    }
};

answer work_on(int task) { return {task, task * task, ::getpid()}; }
RINGPIPE_TASK(work_on);

int main() {
    ringpipe::pool::run_worker_if_asked();  // in a worker this does not return

    ringpipe::process_pool pool{{.max_workers = 5}};
    std::vector<ringpipe::pool::future<answer>> futures;
    for (int task = 0; task < 10; ++task) { futures.push_back(pool.submit(work_on, task)); }
    for (auto& future : futures) {
        const auto done = future.get();
        std::printf("task %d: %d (worker %d)\n", done.task, done.square, done.worker);
        if (done.square != done.task * done.task) { return 1; }
    }
}  // the pool waits for its tasks and ends its workers
