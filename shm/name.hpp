// Names of rings and groups, and the files that rings are.
#pragma once

#include <string>
#include <string_view>

namespace ringpipe {

// "/dev/shm/ringpipe.NAME"; a name with a '/' is a path itself. Throws error(invalid_name), for a
// name of more than 58 bytes too, since its dead letters need a name as well.
std::string path_of_ring(std::string_view name);

// Throws error(invalid_name) unless it is 1 to 63 printable characters without '/'.
// `what` is "ring" or "group" or "member".
void check_name(std::string_view name, std::string_view what);

inline constexpr std::string_view ring_folder = "/dev/shm";
inline constexpr std::string_view ring_prefix = "ringpipe.";
inline constexpr std::string_view dead_letter_suffix = ".dead";

}  // namespace ringpipe
