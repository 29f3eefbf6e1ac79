// Ten slow functions, each in a process of its own, gathered: one unit and not ten.
#include <vector>

#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> slow_square(const ringpipe::ring& results, int of) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, results};
    co_await sleep(1);
    const auto result = std::to_string(of * of);
    co_await out.async_send(result);
}

asio::awaitable<void> gather(const ringpipe::ring& results, int& sum) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, results};
    for (int i = 0; i < 10; ++i) {
        auto result = co_await in.async_receive();
        sum += std::stoi(std::string{result.text()});
        result.acknowledge();
    }
}

int main() {
    const temporary_ring results;
    const stopwatch watch;
    int sum = 0;
    {
        std::vector<process> all;
        for (int i = 0; i < 10; ++i) {
            all.emplace_back([&results, i] { return slow_square(results.ring, i); });
        }
        run(gather(results.ring, sum));
    }
    print("sum of ten squares: " + std::to_string(sum));
    watch.print();
}
