#include "common/shutdown.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <thread>

namespace ringpipe {
namespace {

constexpr std::int64_t patience_ns = 100'000'000;

// Set by the handlers, which may run in any thread and may do little else.
std::atomic<int> first_signal{0};
std::atomic<std::int64_t> first_signal_at{0};
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t now_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

extern "C" {

static void on_stop_signal(int signal) {
    const int saved = errno;
    int none = 0;
    if (first_signal.compare_exchange_strong(none, signal)) {
        first_signal_at.store(now_ns());
        ::alarm(1);
    } else if (signal == SIGINT && first_signal_at.load() != 0 &&
               now_ns() - first_signal_at.load() > patience_ns) {
        std::signal(SIGINT, SIG_DFL);
        std::raise(SIGINT);  // taken when this handler returns
    }
    errno = saved;
}

// Comes for its side effect: whatever blocks returns EINTR and looks at the flag again.
static void on_nudge(int /*signal*/) { ::alarm(1); }

}  // extern "C"

void handle(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = 0;  // no SA_RESTART: a blocked read() must return
    ::sigaction(signal, &action, nullptr);
}

bool is_ignored(int signal) {
    struct sigaction action {};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void install_stop_signals() {
    handle(SIGALRM, on_nudge);
    for (const int signal : {SIGINT, SIGHUP}) {
        if (!is_ignored(signal)) { handle(signal, on_stop_signal); }
    }
    handle(SIGTERM, on_stop_signal);
}

void ignore_broken_pipe() { std::signal(SIGPIPE, SIG_IGN); }

bool stop_requested() noexcept { return first_signal.load(std::memory_order_relaxed) != 0; }

void pause_for(std::chrono::nanoseconds how_long) {
    const auto until = std::chrono::steady_clock::now() + how_long;
    while (!stop_requested() && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
}

int stop_signal() noexcept { return first_signal.load(std::memory_order_relaxed); }

}  // namespace ringpipe
