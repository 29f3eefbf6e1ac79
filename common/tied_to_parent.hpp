// For Boost.Process: a child that does not outlive the process that started it.
#pragma once

#include <boost/system/error_code.hpp>

#include "ringpipe/common/tie_to_parent.hpp"

namespace ringpipe {

// An initializer: it runs in the child, between fork and exec.
struct tied_to_parent {
    pid_t parent;

    template <class Launcher, class Executable>
    boost::system::error_code on_exec_setup(Launcher&, const Executable&,
                                            const char* const*&) const {
        return {tie_to_parent(parent), boost::system::system_category()};
    }
};

}  // namespace ringpipe
