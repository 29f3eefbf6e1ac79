// A child that does not outlive the process that started it.
#pragma once

#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ringpipe {

// In the child, between fork and exec: SIGKILL when the *thread* that forked it ends, also by a kill.
// It does not reach what the child starts itself. `exit_code` is for a parent that is gone already.
// Returns an errno, or 0. Async-signal-safe.
[[nodiscard]] inline int tie_to_parent(pid_t parent, int exit_code = 127) noexcept {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) { return errno; }
    // One that died before the prctl sends nothing any more.
    if (::getppid() != parent) { ::_exit(exit_code); }
    return 0;
}

}  // namespace ringpipe
