// An event loop says hello, waits, and says what another process sends: the loop waits for both alike.
#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> send_world(const ringpipe::ring& words) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, words};
    co_await sleep(1);
    co_await out.async_send("world");
}

asio::awaitable<void> hello(const ringpipe::ring& words) {
    print("hello");
    ringpipe::async_consumer in{co_await asio::this_coro::executor, words};
    auto word = co_await in.async_receive();
    print(std::string{word.text()});
    word.acknowledge();
}

int main() {
    const temporary_ring words;
    const process other{[&] { return send_world(words.ring); }};
    run(hello(words.ring));
}
