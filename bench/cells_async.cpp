#include "bench/cells_async.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <stdexcept>

#include "async/async_consumer.hpp"
#include "async/async_producer.hpp"
#include "bench/messages.hpp"
#include "bench/ticks.hpp"

namespace ringpipe::bench {
namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;
using socket = boost::asio::local::stream_protocol::socket;

constexpr std::size_t size = 64;
constexpr std::uint64_t warm_up = 10'000;
constexpr std::size_t batch_size = 64;

void run(asio::io_context& loop, awaitable<void> all) {
    asio::co_spawn(loop, std::move(all), [](const std::exception_ptr& failed) {
        if (failed) { std::rethrow_exception(failed); }
    });
    loop.run();
}

// Says when it is over; looks at the clock now and then.
class time_limit {
  public:
    explicit time_limit(std::chrono::nanoseconds time) : time_{time} {}
    bool over(std::uint64_t number) {
        if ((number & 63U) != 0) { return false; }
        const auto now = ticks();
        if (number >= warm_up && stop_ == 0) { stop_ = now + ticks_in(time_); }
        return stop_ != 0 && now >= stop_;
    }

  private:
    std::chrono::nanoseconds time_;
    std::uint64_t stop_ = 0;
};

// How the two sides talk: rings, or sockets.
struct ring_talk {
    async_producer out;
    async_consumer in;

    awaitable<void> send(bytes message) { co_await out.async_send(message); }
    awaitable<void> receive(message_checker& check) {
        auto message = co_await in.async_receive();
        check(message.payload());
        message.acknowledge();
    }
};

struct socket_talk {
    socket peer;
    std::array<std::byte, size> space{};

    awaitable<void> send(bytes message) {
        const auto buffer = asio::buffer(message.data(), message.size());
        co_await asio::async_write(peer, buffer, use_awaitable);
    }
    awaitable<void> receive(message_checker& check) {
        const auto buffer = asio::buffer(space);
        co_await asio::async_read(peer, buffer, use_awaitable);
        check(space);
    }
};

template <class Talk>
awaitable<void> ask(Talk& talk, std::chrono::nanoseconds time, latency& result) {
    std::vector<std::uint32_t> samples;
    samples.reserve(std::size_t{1} << 20U);
    messages next{size};
    message_checker check{size};
    time_limit limit{time};
    for (std::uint64_t number = 0; !check.done(); ++number) {
        const bool last = limit.over(number);
        const auto before = ticks();
        const auto message = next(number, last);
        co_await talk.send(message);
        co_await talk.receive(check);
        if (number >= warm_up) { samples.push_back(static_cast<std::uint32_t>(ticks() - before)); }
    }
    const auto at = [&](double share) { return nanoseconds(quantile(samples, share)); };
    result = {at(0.5), at(0.99), at(0.999), at(1), samples.size(), check.verified()};
}

template <class Talk>
awaitable<void> answer(Talk& talk) {
    messages next{size};
    message_checker check{size};
    for (std::uint64_t number = 0; !check.done(); ++number) {
        co_await talk.receive(check);
        const auto message = next(number, check.done());
        co_await talk.send(message);
    }
}

template <class Talk>
awaitable<void> send_all(Talk& talk, std::chrono::nanoseconds time) {
    messages next{size};
    time_limit limit{time};
    bool last = false;
    for (std::uint64_t number = 0; !last; ++number) {
        last = limit.over(number);
        const auto message = next(number, last);
        co_await talk.send(message);
    }
}

template <class Talk>
awaitable<void> receive_all(Talk& talk, message_checker& check) {
    while (!check.done()) { co_await talk.receive(check); }
}

awaitable<void> send_batches(async_producer& out, std::chrono::nanoseconds time) {
    messages next{size};
    time_limit limit{time};
    std::vector<bytes> batch(batch_size);
    bool last = false;
    for (std::uint64_t number = 0; !last; number += batch_size) {
        last = limit.over(number);
        for (std::size_t i = 0; i < batch_size; ++i) {
            batch[i] = next(number + i, last && i + 1 == batch_size);
        }
        co_await out.async_send_batch(batch);
    }
}

awaitable<void> receive_batches(async_consumer& in, message_checker& check) {
    while (!check.done()) {
        auto batch = co_await in.async_receive_batch(1024);
        for (const auto& one : batch) { check(one.payload()); }
        batch.acknowledge();
    }
}

ring ring_for(const settings& how, bool back) {
    ring_options options;
    options.capacity = how.capacity;
    return ring::open_or_create(
        "bench-async-" + std::to_string(::getppid()) + (back ? "-back" : "-there"), options);
}

void remove_rings() {
    for (const auto* which : {"-there", "-back"}) {
        ring::remove("bench-async-" + std::to_string(::getpid()) + which);
    }
}

// Made before the fork; each side closes nothing, the message says when it is over.
std::shared_ptr<std::array<int, 2>> socket_pair() {
    auto ends = std::make_shared<std::array<int, 2>>();
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends->data()) != 0) {
        throw std::runtime_error("socketpair failed");
    }
    return ends;
}

// `work(side, loop, talk)` on both sides, over rings or over a socket.
template <class Work>
cell ring_cell(const settings& how, cell made, Work work) {
    const auto side_of = [=](bool first) {
        return [=](side& me) {
            asio::io_context loop;
            ring_talk talk{async_producer{loop, ring_for(how, !first)},
                           async_consumer{loop, ring_for(how, first)}};
            me.meet();
            me.measure([&] { work(me, loop, talk, first); });
            me.meet();
        };
    };
    made.processes.first = side_of(true);
    made.processes.second = side_of(false);
    made.clean_up = remove_rings;
    return made;
}

template <class Work>
cell socket_cell(cell made, Work work) {
    const auto ends = socket_pair();
    const auto side_of = [=](bool first) {
        return [=](side& me) {
            asio::io_context loop;
            socket_talk talk{
                socket{loop, boost::asio::local::stream_protocol{}, (*ends)[first ? 0 : 1]}};
            me.measure([&] { work(me, loop, talk, first); });
            me.meet();
        };
    };
    made.processes.first = side_of(true);
    made.processes.second = side_of(false);
    return made;
}

}  // namespace

std::vector<cell> async_cells(const settings& how) {
    const auto time = how.time;
    const auto converse = [time](side& me, asio::io_context& loop, auto& talk, bool first) {
        if (!first) { return run(loop, answer(talk)); }
        latency trip;
        run(loop, ask(talk, time, trip));
        me.report(trips_measured(trip));
    };
    const auto stream = [time](side& me, asio::io_context& loop, auto& talk, bool first) {
        if (first) { return run(loop, send_all(talk, time)); }
        message_checker check{size, warm_up};
        run(loop, receive_all(talk, check));
        me.report(stream_measured(check));
    };
    const auto batches = [time](side& me, asio::io_context& loop, ring_talk& talk, bool first) {
        if (first) { return run(loop, send_batches(talk.out, time)); }
        message_checker check{size, warm_up};
        run(loop, receive_batches(talk.in, check));
        me.report(stream_measured(check));
    };
    const auto trip = measure::round_trip;
    const std::string socket_trip = "socket, round trip";
    const std::string socket_stream = "socket, 64 B";
    return {
        socket_cell({.name = socket_trip, .what = trip}, converse),
        ring_cell(how, {.name = "async, round trip", .what = trip, .peer = socket_trip}, converse),
        socket_cell({.name = socket_stream}, stream),
        ring_cell(how, {.name = "async, 64 B", .peer = socket_stream}, stream),
        ring_cell(how, {.name = "async, 64 B, batches of 64", .peer = socket_stream}, batches),
    };
}

}  // namespace ringpipe::bench
