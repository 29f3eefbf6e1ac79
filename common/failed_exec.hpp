// A child that could not become the program it was forked for.
#pragma once

#include <unistd.h>

namespace ringpipe {

// An initializer of Boost.Process: that child ends at once. Boost's own end is exit(), which would do
// in the child what is the parent's to do when it ends: call what it left to atexit, destroy static
// objects under threads that are not there, write once more what its streams have buffered.
struct ends_unless_executed {
    // Boost 1.81 looks for one with five arguments, and calls one with four.
    template <class... Arguments>
    void on_exec_error(const Arguments&...) const noexcept {
        ::_exit(127);
    }
};

}  // namespace ringpipe
