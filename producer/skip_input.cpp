#include "producer/skip_input.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "common/error.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::producer_program {
namespace {

std::uint64_t read_and_drop(int fd, const std::string& name, std::uint64_t bytes) {
    std::vector<std::byte> dropped(std::min<std::uint64_t>(bytes, std::uint64_t{256} << 10U));
    std::uint64_t skipped = 0;
    while (skipped < bytes && !stop_requested()) {
        const auto count =
            ::read(fd, dropped.data(), std::min<std::uint64_t>(dropped.size(), bytes - skipped));
        if (count == 0) { break; }
        if (count > 0) {
            skipped += static_cast<std::uint64_t>(count);
        } else if (errno == EAGAIN) {
            pollfd input{fd, POLLIN, 0};
            (void)::poll(&input, 1, -1);
        } else if (errno != EINTR) {
            throw error{errc::io,
                        fmt::format("cannot skip what was sent already of {}, behind byte {}", name,
                                    skipped),
                        errno};
        }
    }
    return skipped;
}

}  // namespace

std::uint64_t bytes_left_in(int fd) {
    struct stat about {};
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) { return 0; }
    const auto at = ::lseek(fd, 0, SEEK_CUR);
    return at >= 0 && about.st_size > at ? static_cast<std::uint64_t>(about.st_size - at) : 0;
}

std::uint64_t skip_input(int fd, const std::string& name, std::uint64_t bytes) {
    if (bytes == 0) { return 0; }
    const auto by_seek = std::min(bytes, bytes_left_in(fd));
    if (by_seek != 0 && ::lseek(fd, static_cast<off_t>(by_seek), SEEK_CUR) >= 0) { return by_seek; }
    return read_and_drop(fd, name, bytes);
}

}  // namespace ringpipe::producer_program
