// Passes over what was sent already.
#pragma once

#include <cstdint>
#include <string>

namespace ringpipe::producer_program {

// What a regular file still holds; 0 for all others.
[[nodiscard]] std::uint64_t bytes_left_in(int fd);

// The next `bytes` of the input: by a seek, or by reading and dropping them. Returns how many there
// were; fewer only at its end, or after a stop was requested. Throws error(io); `name` is how it
// calls the input.
[[nodiscard]] std::uint64_t skip_input(int fd, const std::string& name, std::uint64_t bytes);

}  // namespace ringpipe::producer_program
