// A timer ticks every unit while a queue is awaited in the same loop: neither waits for the other.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "examples/support.hpp"

using namespace examples;
using namespace asio::experimental::awaitable_operators;

asio::awaitable<void> send_every_two_units(const ringpipe::ring& queue) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, queue};
    for (int i = 0; i < 3; ++i) {
        co_await sleep(2);
        co_await out.async_send("message");
    }
}

asio::awaitable<void> tick(int& ticks) {
    for (;;) {
        co_await sleep(1);
        ++ticks;
    }
}

asio::awaitable<void> receive(const ringpipe::ring& queue, int& messages) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, queue};
    while (auto message = co_await in.next()) {
        ++messages;
        message.acknowledge();
    }
}

// The end of the queue cancels the timer.
asio::awaitable<void> both(const ringpipe::ring& queue, int& messages, int& ticks) {
    co_await (receive(queue, messages) || tick(ticks));
}

int main() {
    const temporary_ring queue;
    const process sender{[&] { return send_every_two_units(queue.ring); }};
    int messages = 0;
    int ticks = 0;
    run(both(queue.ring, messages, ticks));
    print(std::to_string(messages) + " messages, and " + (ticks >= 4 ? "at least 4" : "too few") +
          " ticks beside them");
}
