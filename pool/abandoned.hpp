// What pools whose owners were killed have left in /dev/shm.
#pragma once

#include <string>
#include <vector>

namespace ringpipe::pool {

// Removes the boards and rings of pools whose owner is dead, as far as this user may; returns the
// pools' names. Every new pool does this first.
std::vector<std::string> remove_abandoned();

// One of them: its board and its rings. False if there is no such pool. Throws error(group_in_use)
// if its owner lives, error(not_a_ring | no_permission).
bool remove_abandoned(const std::string& pool);

}  // namespace ringpipe::pool
