// Fetch, then process: each stage a process, each page one unit in each. They overlap.
#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> fetch(const ringpipe::ring& pages) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, pages};
    for (int i = 1; i <= 5; ++i) {
        co_await sleep(1);
        const auto page = "page " + std::to_string(i);
        co_await out.async_send(page);
    }
}

asio::awaitable<void> work(const ringpipe::ring& pages) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, pages};
    while (auto page = co_await in.next()) {
        co_await sleep(1);
        print("processed " + std::string{page.text()});
        page.acknowledge();
    }
}

int main() {
    const temporary_ring pages;
    const stopwatch watch;
    {
        const process fetcher{[&] { return fetch(pages.ring); }};
        run(work(pages.ring));
    }
    watch.print();
}
