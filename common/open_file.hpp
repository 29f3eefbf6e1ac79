// Opens what a user named as input or output; "-" is standard input or output.
#pragma once

#include <string>
#include <string_view>

#include "ringpipe/common/unique_fd.hpp"

namespace ringpipe {

// Opening a FIFO waits for its other end; a stop that was requested meanwhile is an error(io).
// Throws error(input_not_found | no_permission | io).
[[nodiscard]] unique_fd open_input(const std::string& path);

// Creates or empties the file. Throws error(no_permission | io).
[[nodiscard]] unique_fd open_output(const std::string& path);

// Closes it, and reports what some file systems (NFS, quotas) say only now. Throws error(io).
void close_output(unique_fd file, const std::string& path);

// How errors call them: "standard input", "'data.txt'".
[[nodiscard]] std::string input_name(std::string_view path);
[[nodiscard]] std::string output_name(std::string_view path);

}  // namespace ringpipe
