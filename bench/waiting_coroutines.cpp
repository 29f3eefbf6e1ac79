#include "bench/waiting_coroutines.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "async/async_consumer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::bench {
namespace {

asio::awaitable<void> receive_two(async_consumer& in, std::size_t& received) {
    for (int i = 0; i < 2; ++i) {
        auto message = co_await in.async_receive();
        message.acknowledge();
        ++received;
    }
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct removed_ring {
    explicit removed_ring(const std::string& name) {
        ring_options options;
        options.capacity = std::uint64_t{64} << 10U;
        options.members = 4;
        made = std::make_unique<ring>(ring::create(name, options));
    }
    removed_ring(removed_ring&&) = default;
    ~removed_ring() {
        if (made) { ring::remove(made->name()); }
    }
    std::unique_ptr<ring> made;
};

// Heap per coroutine that waits for something of Asio's own: what it costs without ringpipe.
std::size_t bytes_of_waiting_for_a_timer(std::size_t coroutines) {
    asio::io_context loop;
    asio::steady_timer never{loop, std::chrono::hours{1}};
    const auto wait = [](asio::steady_timer& timer) -> asio::awaitable<void> {
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    };
    const auto before = ::mallinfo2().uordblks;
    for (std::size_t i = 0; i < coroutines; ++i) {
        asio::co_spawn(loop, wait(never), asio::detached);
    }
    loop.run_for(std::chrono::milliseconds{100});
    const auto heap = ::mallinfo2().uordblks - before;
    never.cancel();
    loop.run();
    return heap / coroutines;
}

}  // namespace

void print_waiting(std::FILE* to, std::size_t coroutines, std::size_t rings) {
    using namespace std::chrono;
    std::vector<removed_ring> all;
    std::vector<producer> producers;
    asio::io_context loop;
    std::vector<async_consumer> consumers;
    for (std::size_t i = 0; i < rings; ++i) {
        all.emplace_back(fmt::format("bench-waiting-{}-{}", ::getpid(), i));
        producers.emplace_back(*all.back().made);
        consumers.emplace_back(loop, *all.back().made);
    }
    std::size_t received = 0;
    const auto serve_all = [&] {
        const auto goal = received + coroutines;
        const auto start = steady_clock::now();
        for (std::size_t i = 0; i < coroutines; ++i) { producers[i % rings].send({}); }
        while (received < goal && !loop.stopped()) { loop.run_one_for(seconds{10}); }
        return duration<double, std::micro>{steady_clock::now() - start};
    };
    const auto before = ::mallinfo2().uordblks;
    for (std::size_t i = 0; i < coroutines; ++i) {
        asio::co_spawn(loop, receive_two(consumers[i % rings], received), asio::detached);
    }
    loop.run_for(milliseconds{500});
    const auto heap = ::mallinfo2().uordblks - before;
    const auto tasks = std::filesystem::directory_iterator{"/proc/self/task"};
    const auto threads = std::distance(begin(tasks), end(tasks));
    const auto cpu_before = cpu_seconds();
    loop.run_for(seconds{5});
    const auto cpu = (cpu_seconds() - cpu_before) / 5;
    const auto first = serve_all();
    fmt::print(to,
               "{:>6} coroutines on {:>3} rings: {} threads, {:>4} bytes each ({} if it waits for "
               "a timer), "
               "{:.2f} % CPU at rest, {:.2f} us to serve each\n",
               coroutines, rings, threads, heap / coroutines,
               bytes_of_waiting_for_a_timer(coroutines), 100 * cpu,
               first.count() / static_cast<double>(coroutines));
    (void)serve_all();
}

}  // namespace ringpipe::bench
