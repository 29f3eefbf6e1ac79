// Three processes say something after 1, 2 and 3 units: all at once, so 3 units and not 6.
#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> say_after(const ringpipe::ring& said, int units) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, said};
    co_await sleep(units);
    const auto what = "after " + std::to_string(units);
    co_await out.async_send(what);
}

asio::awaitable<void> listen(const ringpipe::ring& said) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, said};
    for (int i = 0; i < 3; ++i) {
        auto what = co_await in.async_receive();
        print(std::string{what.text()});
        what.acknowledge();
    }
}

int main() {
    const temporary_ring said;
    const stopwatch watch;
    {
        const process third{[&] { return say_after(said.ring, 3); }};
        const process second{[&] { return say_after(said.ring, 2); }};
        const process first{[&] { return say_after(said.ring, 1); }};
        run(listen(said.ring));
    }
    watch.print();
}
