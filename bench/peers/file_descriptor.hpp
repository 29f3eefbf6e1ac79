// Reading and writing whole messages through a file descriptor: what pipe and socket share.
#pragma once

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "bench/messages.hpp"
#include "common/unique_fd.hpp"

namespace ringpipe::bench {

inline int checked(int result, const std::string& what) {
    if (result < 0) { throw std::system_error(errno, std::generic_category(), what); }
    return result;
}

// Who does not wait asks again and again.
inline void set_blocking(int fd, bool blocking) {
    const auto flags = checked(fcntl(fd, F_GETFL), "fcntl");
    checked(fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK), "fcntl");
}

// True if a call was only told to try again.
inline bool try_again(ssize_t result, const char* what) {
    if (result >= 0) { return false; }
    if (errno == EAGAIN || errno == EINTR) { return true; }
    throw std::system_error(errno, std::generic_category(), what);
}

inline void write_all(int fd, bytes data) {
    while (!data.empty()) {
        const auto written = write(fd, data.data(), data.size());
        if (!try_again(written, "write")) {
            data = data.subspan(static_cast<std::size_t>(written));
        }
    }
}

// One system call for all of them, as long as the other side keeps up.
inline void write_batch(int fd, std::span<const bytes> batch) {
    std::array<iovec, 64> parts{};
    std::size_t left = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        parts.at(i) = {const_cast<std::byte*>(batch[i].data()), batch[i].size()};
        left += batch[i].size();
    }
    auto* at = parts.data();
    const auto* const end = at + batch.size();
    while (left > 0) {
        const auto result = writev(fd, at, static_cast<int>(end - at));
        if (try_again(result, "writev")) { continue; }
        auto written = static_cast<std::size_t>(result);
        left -= written;
        while (at != end && written >= at->iov_len) { written -= (at++)->iov_len; }
        if (written > 0) {
            at->iov_base = static_cast<char*>(at->iov_base) + written;
            at->iov_len -= written;
        }
    }
}

// Reads as much as there is, and gives out whole messages.
class message_reader {
  public:
    message_reader(std::size_t message_size, std::size_t at_once)
        : size_{message_size}, buffer_(std::max(message_size, at_once)) {}

    // False: nothing there, or the end.
    template <class Use>
    bool receive(int fd, Use&& use) {
        while (end_ - begin_ < size_) {
            if (begin_ + size_ > buffer_.size()) {
                std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
                end_ -= begin_;
                begin_ = 0;
            }
            const auto got = read(fd, buffer_.data() + end_, buffer_.size() - end_);
            if (try_again(got, "read") || got == 0) { return false; }
            end_ += static_cast<std::size_t>(got);
        }
        use(bytes{buffer_.data() + begin_, size_});
        begin_ += size_;
        if (begin_ == end_) { begin_ = end_ = 0; }
        return true;
    }

  private:
    std::size_t size_;
    std::vector<std::byte> buffer_;
    std::size_t begin_ = 0;  // [begin_, end_) has been read and not yet been given out
    std::size_t end_ = 0;
};

}  // namespace ringpipe::bench
