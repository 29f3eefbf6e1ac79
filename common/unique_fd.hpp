// A file descriptor that is closed when its owner goes.
#pragma once

#include <unistd.h>

#include <utility>

namespace ringpipe {

class unique_fd {
  public:
    unique_fd() noexcept = default;
    explicit unique_fd(int fd) noexcept : fd_{fd} {}
    unique_fd(unique_fd&& other) noexcept : fd_{other.release()} {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        if (this != &other) { reset(other.release()); }
        return *this;
    }
    unique_fd(const unique_fd&) = delete;
    unique_fd& operator=(const unique_fd&) = delete;
    ~unique_fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    // Not for outputs whose close() may fail with something to say: see close_output().
    void reset(int fd = -1) noexcept {
        // EINTR needs no second try: on Linux the descriptor is gone in any case.
        if (const int old = std::exchange(fd_, fd); old >= 0) { ::close(old); }
    }

  private:
    int fd_ = -1;
};

}  // namespace ringpipe
