// A user's program: a ring of the process's own, there and back, by each of the libraries.
#include <unistd.h>
#include <ringpipe/shm/consumer.hpp>
#include <ringpipe/shm/producer.hpp>

#include <iostream>
#include <string>

#ifdef WITH_ASYNC
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <ringpipe/async/async_consumer.hpp>
#endif
#ifdef WITH_POOL
#include <ringpipe/pool/process_pool.hpp>
#endif

namespace {

struct removed_ring {
    std::string name = "install-test-" + std::to_string(::getpid());
    ~removed_ring() { ringpipe::ring::remove(name); }
};

}  // namespace

#ifdef WITH_POOL
namespace {
int twice(int number) { return number * 2; }
}  // namespace
#endif

int main(int argc, char** argv) {
    (void)argc;
    (void)argv;
#ifdef WITH_POOL
    // Compiled and linked; a pool of one worker is another test's matter.
    (void)&twice;
    (void)sizeof(ringpipe::process_pool);
#endif
    const removed_ring of;
    const auto ring = ringpipe::ring::create(of.name);
    ringpipe::producer out{ring};
    const std::string text = "hello";
    out.send(std::as_bytes(std::span{text}));
    std::string received;
#ifdef WITH_ASYNC
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
#else
    ringpipe::consumer in{ring};
    const auto message = in.receive_for(std::chrono::seconds{10});
    received = message.text();
    in.acknowledge(message);
#endif
    std::cout << received << '\n';
    return received == text ? 0 : 1;
}
