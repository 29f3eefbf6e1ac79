// Reading and writing descriptors that may never become ready.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string_view>

#include "common/unique_fd.hpp"
#include "pipeline/stage/pacing.hpp"

namespace ringpipe::pipeline::stage {

struct pipe_pair {
    unique_fd read;
    unique_fd write;
};

// Both ends are closed by exec. Throws error(io).
[[nodiscard]] pipe_pair make_pipe();

void set_nonblocking(int fd);

enum class write_result { done, reader_gone, stopped };

struct written {
    write_result result = write_result::done;
    std::size_t size = 0;
};

// All of it, also to a non-blocking descriptor; looks at `stop` every 100 ms, and leaves a full pipe
// alone for as long as `pace` says. Throws error(io).
written write_all(int fd, std::string_view text, const std::atomic<bool>& stop, pacing& pace);

// read(2), but for EINTR. 0 at the end. Throws error(io).
[[nodiscard]] std::size_t read_some(int fd, std::span<char> into);
// Leaves a pipe with little in it alone for as long as `pace` says.
[[nodiscard]] std::size_t read_some(int fd, std::span<char> into, pacing& pace);

}  // namespace ringpipe::pipeline::stage
