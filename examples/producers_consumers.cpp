// Three producers and two consumers share one queue: six items of one unit each to make and to work on.
// Two units to make them, three to work on them, at the same time: four, and not twelve.
#include <vector>

#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> produce(const ringpipe::ring& queue, int number) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, queue};
    for (int i = 1; i <= 2; ++i) {
        co_await sleep(1);
        const auto item = std::to_string(number) + "." + std::to_string(i);
        co_await out.async_send(item);
    }
}  // the last producer that leaves ends the queue: no item has to say so

asio::awaitable<void> consume(const ringpipe::ring& queue, const ringpipe::ring& done) {
    ringpipe::consumer_options one_at_a_time;
    one_at_a_time.prefetch = 1;
    ringpipe::async_consumer in{co_await asio::this_coro::executor, queue, one_at_a_time};
    ringpipe::async_producer out{co_await asio::this_coro::executor, done};
    while (auto item = co_await in.next()) {
        co_await sleep(1);
        co_await out.async_send(item.text());
        item.acknowledge();
    }
}

asio::awaitable<void> report(const ringpipe::ring& done, int& items) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, done};
    while (auto item = co_await in.next()) {
        print("done: item " + std::string{item.text()});
        item.acknowledge();
        ++items;
    }
}

int main() {
    const temporary_ring queue;
    const temporary_ring done;
    const stopwatch watch;
    int items = 0;
    {
        std::vector<process> all;
        for (int i = 1; i <= 3; ++i) {
            all.emplace_back([&, i] { return produce(queue.ring, i); });
        }
        for (int i = 0; i < 2; ++i) {
            all.emplace_back([&] { return consume(queue.ring, done.ring); });
        }
        run(report(done.ring, items));
    }
    print(std::to_string(items) + " items, each once");
    watch.print();
}
