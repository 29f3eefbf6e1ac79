// A user's program: a ring of the process's own, there and back, by each of the libraries that it has.
#include <unistd.h>

#include <iostream>
#include <mutex>
#include <string>

#include <ringpipe/shm/consumer.hpp>
#include <ringpipe/shm/producer.hpp>

#ifdef WITH_ALL
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <ringpipe/async/async_consumer.hpp>
#include <ringpipe/pool/process_pool.hpp>
#include <ringpipe/sync/mutex.hpp>
#include <ringpipe/sync/space.hpp>
#endif

namespace {

const std::string name = "install-test-" + std::to_string(::getpid());

struct removed_ring {
    ~removed_ring() { ringpipe::ring::remove(name); }
};

std::string receive(const ringpipe::ring& ring) {
    ringpipe::consumer in{ring};
    const auto message = in.receive_for(std::chrono::seconds{20});
    std::string text{message.text()};
    in.acknowledge(message);
    return text;
}

bool expect(const std::string& what, bool holds) {
    std::cout << what << (holds ? ": good\n" : ": WRONG\n");
    return holds;
}

}  // namespace

#ifdef WITH_ALL
int twice(int number) { return number * 2; }
RINGPIPE_TASK(twice);

namespace {

std::string receive_in_a_loop(const ringpipe::ring& ring) {
    std::string received;
    boost::asio::io_context loop;
    ringpipe::async_consumer in{loop, ring};
    boost::asio::co_spawn(
        loop,
        [&]() -> boost::asio::awaitable<void> {
            auto message = co_await in.async_receive();
            received = message.text();
            message.acknowledge();
        },
        boost::asio::detached);
    loop.run();
    return received;
}

bool can_lock() {
    struct removed_space {
        ~removed_space() { ringpipe::sync::space::remove(name); }
    };
    const removed_space removed;
    const auto space = ringpipe::sync::space::create(name);
    ringpipe::sync::mutex till{space, "till"};
    const std::lock_guard hold{till};
    return !till.recovered();
}

}  // namespace
#endif

int main() {
#ifdef WITH_ALL
    ringpipe::pool::run_worker_if_asked();
#endif
    const removed_ring removed;
    const auto ring = ringpipe::ring::create(name);
    ringpipe::producer out{ring};
    const std::string text = "hello";
    out.send(std::as_bytes(std::span{text}));
    bool all_well = expect("shm", receive(ring) == text);
#ifdef WITH_ALL
    out.send(std::as_bytes(std::span{text}));
    all_well = expect("async", receive_in_a_loop(ring) == text) && all_well;
    ringpipe::process_pool pool{{.max_workers = 1}};
    all_well = expect("pool", pool.submit(twice, 21).get() == 42) && all_well;
    all_well = expect("sync", can_lock()) && all_well;
#endif
    return all_well ? 0 : 1;
}
