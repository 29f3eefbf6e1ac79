#include "pipeline/stage/descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "common/error.hpp"

namespace ringpipe::pipeline::stage {
namespace {

// What is in the pipe, by either of its ends; 0 of what is none.
std::size_t bytes_in(int fd) {
    int count = 0;
    return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

// Meanwhile the filter reads, or writes.
void leave_alone(int fd, pacing& pace) {
    const auto before = bytes_in(fd);
    std::this_thread::sleep_for(pace.pause());
    const auto after = bytes_in(fd);
    pace.moved(before > after ? before - after : after - before);
}

}  // namespace

pipe_pair make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw error{errc::io, "cannot make a pipe for a filter", errno};
    }
    // Fewer switches between filter and ring; where the system refuses, 64 KiB do.
    (void)::fcntl(ends[1], F_SETPIPE_SZ, 256 << 10);
    return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

void set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        throw error{errc::io, "cannot set up the pipe of a filter", errno};
    }
}

written write_all(int fd, std::string_view text, const std::atomic<bool>& stop, pacing& pace) {
    std::size_t done = 0;
    while (done < text.size()) {
        const auto count = ::write(fd, text.data() + done, text.size() - done);
        if (count >= 0) {
            done += static_cast<std::size_t>(count);
        } else if (errno == EPIPE) {
            return {write_result::reader_gone, done};
        } else if (errno == EAGAIN) {
            if (stop) { return {write_result::stopped, done}; }
            if (pace.pause() > pacing::duration{0}) {
                leave_alone(fd, pace);
            } else {
                pollfd ready{fd, POLLOUT, 0};
                (void)::poll(&ready, 1, 100);
                pace.begin();
            }
        } else if (errno != EINTR) {
            throw error{errc::io, "cannot write to the next program", errno};
        }
    }
    return {write_result::done, done};
}

std::size_t read_some(int fd, std::span<char> into) {
    for (;;) {
        const auto count = ::read(fd, into.data(), into.size());
        if (count >= 0) { return static_cast<std::size_t>(count); }
        if (errno == EAGAIN) {
            pollfd ready{fd, POLLIN, 0};
            (void)::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            throw error{errc::io, "cannot read the lines of a stage", errno};
        }
    }
}

std::size_t read_some(int fd, std::span<char> into, pacing& pace) {
    if (pace.pause() > pacing::duration{0} && bytes_in(fd) < pacing::few) { leave_alone(fd, pace); }
    const auto count = read_some(fd, into);
    // A full buffer needs no larger pieces.
    if (count >= pacing::page && count < into.size()) { pace.begin(); }
    return count;
}

}  // namespace ringpipe::pipeline::stage
