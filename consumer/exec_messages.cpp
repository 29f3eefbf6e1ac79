#include "consumer/exec_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "common/deadline.hpp"
#include "common/program.hpp"
#include "common/quote.hpp"
#include "common/shutdown.hpp"
#include "consumer/command.hpp"
#include "shm/dead_letter.hpp"

namespace ringpipe::consumer_program {
namespace {

using namespace std::chrono_literals;

constexpr clock::duration first_pause = 100ms;
constexpr clock::duration longest_pause = 5s;

// How long a signal may go unnoticed.
constexpr clock::duration tick = 50ms;

void pause(clock::duration time) {
    const auto until = after(time);
    for (auto now = clock::now(); now < until && !stop_requested(); now = clock::now()) {
        std::this_thread::sleep_for(std::min(until - now, tick));
    }
}

void tell_dead(const options& with, const message& dead, std::uint32_t attempt,
               const std::string& why, bool kept) {
    const auto where = dead_letter_ring_of(with.ring);
    const auto place =
        kept
            ? fmt::format("the message is now in ring {}: see `ringpipe dead {}`", where, with.ring)
            : fmt::format(
                  "the message is LOST: ring {} is full, or cannot be made; empty it with "
                  "`ringpipe dead {} --drop`",
                  where, with.ring);
    tell_user(program_name,
              fmt::format("{} failed with message {} at attempt {}, the last of --max-attempts: "
                          "{}; {}",
                          in_quotes(with.exec), dead.sequence(), attempt, why, place));
}

// Until the command succeeds or the message is dead. A stop leaves it unacknowledged.
void exec_message(intake& from, const options& with, command& what, const message& about) {
    const auto most = with.endpoint.max_attempts;
    auto attempt = about.attempt();
    for (auto wait = first_pause;; wait = std::min(wait * 2, longest_pause)) {
        const auto failure = what.run(about, attempt);
        if (!failure) { return from.acknowledge(about, 1, about.payload().size()); }
        // It may have failed because the same signal went to both of us.
        if (stop_requested()) { return; }
        if (most != 0 && attempt >= most) {
            const bool kept = from.bury(about, *failure);
            return tell_dead(with, about, attempt, *failure, kept);
        }
        pause(wait);
        if (stop_requested()) { return; }
        // Before it begins: it may be the death of us.
        attempt = from.count_attempt(about);
    }
}

}  // namespace

void exec_messages(intake& from, const options& with) {
    command what{with.exec, with.ring};
    while (const auto message = from.next()) {
        exec_message(from, with, what, message);
        // Each may take long: do not wait for the end of the lease to look.
        if (stop_requested()) { from.over(ending::signal); }
    }
}

}  // namespace ringpipe::consumer_program
