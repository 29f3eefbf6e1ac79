// Says in words what SIGBUS means for a program that works in a mapped file.
#pragma once

#include <string_view>

namespace ringpipe {

// On SIGBUS, as it comes when somebody truncates the ring's file or its file system is full:
// one line to standard error and the end with EX_IOERR. `ring` may be empty, if not yet known;
// a second call replaces the first. A SIGBUS of any other origin keeps its default action.
void install_bus_error_handler(std::string_view program, std::string_view ring = {});

}  // namespace ringpipe
