// Five workers, each a process, share ten tasks of one unit: two units and not ten.
#include <vector>

#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> work(const ringpipe::ring& tasks, const ringpipe::ring& done) {
    ringpipe::consumer_options one_at_a_time;
    one_at_a_time.prefetch = 1;
    ringpipe::async_consumer in{co_await asio::this_coro::executor, tasks, one_at_a_time};
    ringpipe::async_producer out{co_await asio::this_coro::executor, done};
    while (auto task = co_await in.next()) {
        co_await sleep(1);
        co_await out.async_send(task.text());
        task.acknowledge();
    }
}

asio::awaitable<void> submit(const ringpipe::ring& tasks) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, tasks};
    for (int i = 0; i < 10; ++i) {
        const auto task = "task " + std::to_string(i);
        co_await out.async_send(task);
    }
}

asio::awaitable<void> count(const ringpipe::ring& done, int& finished) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, done};
    while (auto task = co_await in.next()) {
        ++finished;
        task.acknowledge();
    }
}

int main() {
    const temporary_ring tasks;
    const temporary_ring done;
    const stopwatch watch;
    int finished = 0;
    {
        std::vector<process> workers;
        for (int i = 0; i < 5; ++i) {
            workers.emplace_back([&] { return work(tasks.ring, done.ring); });
        }
        run(submit(tasks.ring));
        run(count(done.ring, finished));
    }
    print(std::to_string(finished) + " tasks done by 5 workers");
    watch.print();
}
