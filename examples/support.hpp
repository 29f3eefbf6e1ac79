// What the examples share and what is not their point.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include <ringpipe/async/async_consumer.hpp>
#include <ringpipe/async/async_producer.hpp>
#include <ringpipe/shm/ring.hpp>

namespace examples {

namespace asio = boost::asio;

inline constexpr auto unit = std::chrono::milliseconds{100};

// A ring that is removed with its maker.
class temporary_ring {
  public:
    temporary_ring()
        : ring{ringpipe::ring::create("example-" + std::to_string(::getpid()) + "-" +
                                      std::to_string(++made))} {}
    temporary_ring(const temporary_ring&) = delete;
    temporary_ring& operator=(const temporary_ring&) = delete;
    ~temporary_ring() {
        if (::getpid() == maker_) { ringpipe::ring::remove(ring.name()); }
    }

    const ringpipe::ring ring;  // NOLINT: read only

  private:
    static inline int made = 0;
    pid_t maker_ = ::getpid();
};

inline asio::awaitable<void> sleep(int units) {
    asio::steady_timer timer{co_await asio::this_coro::executor, units * unit};
    co_await timer.async_wait(asio::use_awaitable);
}

// Runs one coroutine, and all that it spawns, on a loop of its own.
inline void run(asio::awaitable<void> all) {
    asio::io_context loop;
    asio::co_spawn(loop, std::move(all), [](const std::exception_ptr& failed) {
        if (failed) { std::rethrow_exception(failed); }
    });
    loop.run();
}

// Another process that runs this coroutine. Waited for at the end of the scope.
class process {
  public:
    explicit process(const std::function<asio::awaitable<void>()>& body) : id_{::fork()} {
        if (id_ != 0) { return; }
        int code = 0;
        try {
            run(body());
        } catch (const std::exception& failed) {
            std::fprintf(stderr, "in another process: %s\n", failed.what());
            code = 1;
        }
        ::_exit(code);
    }
    process(process&& other) noexcept : id_{std::exchange(other.id_, -1)} {}
    process& operator=(process&&) = delete;
    ~process() {
        if (id_ > 0) { ::waitpid(id_, nullptr, 0); }
    }

  private:
    pid_t id_;
};

// Counts in units as this machine sleeps them just now.
class stopwatch {
  public:
    void print() const {
        const auto took = std::chrono::steady_clock::now() - start_;
        run(sleep(1));
        const auto one = std::chrono::steady_clock::now() - start_ - took;
        std::printf("took %ld units\n", std::lround(std::chrono::duration<double>{took} / one));
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

inline void print(const std::string& line) { std::printf("%s\n", line.c_str()); }

}  // namespace examples
