// A loop runs in a thread of its own; another thread submits a coroutine to it and awaits its future.
// The coroutine asks a process.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "examples/support.hpp"

using namespace examples;

asio::awaitable<void> answer(const ringpipe::ring& questions, const ringpipe::ring& answers) {
    ringpipe::async_consumer in{co_await asio::this_coro::executor, questions};
    ringpipe::async_producer out{co_await asio::this_coro::executor, answers};
    auto question = co_await in.async_receive();
    const auto doubled = std::to_string(2 * std::stoi(std::string{question.text()}));
    co_await out.async_send(doubled);
    question.acknowledge();
}

asio::awaitable<std::string> ask(const ringpipe::ring& questions, const ringpipe::ring& answers) {
    ringpipe::async_producer out{co_await asio::this_coro::executor, questions};
    ringpipe::async_consumer in{co_await asio::this_coro::executor, answers};
    co_await out.async_send("21");
    auto reply = co_await in.async_receive();
    std::string text{reply.text()};
    reply.acknowledge();
    co_return text;
}

int main() {
    const temporary_ring questions;
    const temporary_ring answers;
    const process helper{[&] { return answer(questions.ring, answers.ring); }};

    asio::io_context loop;
    auto busy = asio::make_work_guard(loop);
    std::thread thread{[&] { loop.run(); }};
    auto future = asio::co_spawn(loop, ask(questions.ring, answers.ring), asio::use_future);
    print("the answer is " + future.get());
    busy.reset();
    thread.join();
}
