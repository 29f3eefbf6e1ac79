#include "pipeline/stage/retirement.hpp"

#include <atomic>
#include <chrono>

namespace ringpipe::pipeline::stage {
namespace {

using namespace std::chrono_literals;

// Set by the handler, which may run in any thread.
std::atomic<bool> asked_to_retire{false};
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace

void await_retirement() {
    struct sigaction action {};
    action.sa_handler = [](int) { asked_to_retire.store(true, std::memory_order_relaxed); };
    // Who waits looks now and then; nobody else is to be disturbed.
    action.sa_flags = SA_RESTART;
    ::sigaction(retirement_signal, &action, nullptr);
}

bool retired() noexcept { return asked_to_retire.load(std::memory_order_relaxed); }

bool wait_for_work(consumer& in) {
    while (!retired()) {
        const auto came = in.lease_until(after(100ms));
        if (came != receive_status::timed_out) { return came == receive_status::message; }
    }
    return false;
}

}  // namespace ringpipe::pipeline::stage
