#include "consumer/exec_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/deadline.hpp"
#include "common/program.hpp"
#include "common/quote.hpp"
#include "common/shutdown.hpp"
#include "consumer/command.hpp"

namespace ringpipe::consumer_program {
namespace {

using namespace std::chrono_literals;

constexpr clock::duration first_pause = 50ms;
constexpr clock::duration longest_pause = 5s;

void pause(clock::duration time) {
    for (const auto until = after(time); clock::now() < until && !stop_requested();) {
        std::this_thread::sleep_for(std::min<clock::duration>(until - clock::now(), 100ms));
    }
}

// False: it did not succeed, for the reason that `from` then tells.
bool exec_message(intake& from, const options& with, command& what, const message& about) {
    auto wait = first_pause;
    for (auto attempt = about.attempt();; ++attempt) {
        const int code = what.run(about, attempt);
        if (code == 0) { return true; }
        if (!stop_requested() && attempt < with.max_attempts) { pause(wait); }
        if (stop_requested()) {
            from.over(ending::signal);
            return false;
        }
        if (attempt >= with.max_attempts) {
            tell_user(program_name,
                      fmt::format("{} failed with message {} at attempt {}, the last of "
                                  "--max-attempts, with exit code {}; the message stays in the "
                                  "ring: mend the command and start again",
                                  ringpipe::quoted(with.exec), about.sequence(), attempt, code));
            from.over(ending::failed);
            return false;
        }
        wait = std::min(wait * 2, longest_pause);
    }
}

}  // namespace

void exec_messages(intake& from, const options& with) {
    command what{with.exec, with.ring};
    while (const auto message = from.next()) {
        if (!exec_message(from, with, what, message)) { return; }
        from.acknowledge(message, 1, message.payload().size());
        // Each may take long: do not wait for the end of the lease to look.
        if (stop_requested()) { from.over(ending::signal); }
    }
}

}  // namespace ringpipe::consumer_program
