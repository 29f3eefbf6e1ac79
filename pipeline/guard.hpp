// Ends the process groups of a launcher that was killed and can no longer do it itself.
#pragma once

#include <sys/types.h>

#include "common/unique_fd.hpp"

namespace ringpipe::pipeline {

// A process of its own that sleeps at the other end of a pipe. When the launcher goes, however it
// goes, the guard sends SIGKILL to all groups that are enrolled, and ends.
//
// PR_SET_PDEATHSIG alone would not do: it reaches the shell, but not what the shell has started.
class guard {
  public:
    guard();
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    ~guard();

    // By a new group's leader itself, between fork and exec: there is no moment at which the
    // launcher could die and leave a group that the guard does not know.
    void enroll_self() const noexcept;

    // The group is gone, and its number may become somebody else's.
    void release(pid_t group) const noexcept;

  private:
    unique_fd to_guard_;  // closed by exec, so that the launcher alone keeps it open
    pid_t pid_ = -1;
};

}  // namespace ringpipe::pipeline
