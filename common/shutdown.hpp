// How signals end a program: asked to stop first, so that it can do so cleanly.
#pragma once

#include <chrono>

namespace ringpipe {

// The first SIGINT, SIGTERM or SIGHUP asks for a stop: calls that block return EINTR then, and
// once a second from then on, so that a call cannot miss it by beginning a moment too late.
// A SIGINT after that, from somebody who lost patience, kills by its default action; one that
// comes within 100 ms does not, as timeout(1) and others signal a process and its group.
// SIGINT and SIGHUP stay ignored where they were (nohup, background jobs of scripts).
void install_stop_signals();

// For a reader or writer that goes away to be an error (EPIPE) and not the end.
void ignore_broken_pipe();

[[nodiscard]] bool stop_requested() noexcept;

// Sleeps, but not beyond a request to stop.
void pause_for(std::chrono::nanoseconds how_long);

// The signal that asked for the stop; 0 if none did.
[[nodiscard]] int stop_signal() noexcept;

// What a shell reports for a program that a signal ended: 128 + signal.
[[nodiscard]] constexpr int exit_code_for_signal(int signal) noexcept { return 128 + signal; }

}  // namespace ringpipe
