// A look at a segment that changes nothing and takes no lock.
#pragma once

#include "ringpipe/shm/segment.hpp"
#include "ringpipe/shm/status.hpp"

namespace ringpipe {

ring_status status_of(const segment& where);

}  // namespace ringpipe
