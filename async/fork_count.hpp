// Which process this is: a count that is one higher in a forked child.
#pragma once

namespace ringpipe {

// Cheap: a load. Not a process id, which another process may have later.
[[nodiscard]] unsigned fork_count() noexcept;

}  // namespace ringpipe
