// What pools whose owners were killed have left in /dev/shm.
#pragma once

#include <string>
#include <vector>

namespace ringpipe::pool {

// Removes the boards and rings of pools whose owner is dead, as far as this user may; returns the
// pools' names. Every new pool does this first.
std::vector<std::string> remove_abandoned();

}  // namespace ringpipe::pool
