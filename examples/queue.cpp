// A producer and a consumer, two processes, joined by a queue: ten items.
#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> produce(const ringpipe::ring& queue) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, queue};
    for (int i = 1; i <= 10; ++i) {
        const auto item = "item " + std::to_string(i);
        co_await out.async_send(item);
    }
}

asio::awaitable<void> consume(const ringpipe::ring& queue) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, queue};
    while (auto item = co_await in.next()) {
        print("got " + std::string{item.text()});
        item.acknowledge();
    }
    print("the queue is done");
}

int main() {
    const temporary_ring queue;
    const process producer{[&] { return produce(queue.ring); }};
    run(consume(queue.ring));
}
