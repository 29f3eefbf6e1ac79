// A folder that no other test has, in TMPDIR or /tmp; gone afterwards with all that is in it.
#pragma once

#include "pipeline/temporary.hpp"

namespace ringpipe::test {

// The programs' own: throws if it cannot be made.
using pipeline::temporary_folder;

}  // namespace ringpipe::test
