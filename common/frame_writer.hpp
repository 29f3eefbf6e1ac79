// Writes messages to a file descriptor in a framing, many with one system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "ringpipe/common/framing.hpp"

struct iovec;

namespace ringpipe {

enum class write_status {
    ok,
    closed,  // nobody reads any longer (EPIPE; the program must ignore SIGPIPE)
};

// Does not flush when destroyed: an error would have nowhere to go. After an exception nobody
// can say where the output ends, and nothing more should be written to it.
class frame_writer {
  public:
    using message = std::span<const std::byte>;

    // Does not own `fd`. `name` is how errors call the output.
    frame_writer(int fd, framing how, std::string name = "standard output",
                 std::size_t buffer = std::size_t{256} << 10U);

    // Adds a message; it is in the output for sure only after flush(). A message that contains
    // its delimiter is written as it is and reads back as several.
    // Throws error(malformed_input) for a size that is not that of fixed:N, and error(io).
    [[nodiscard]] write_status write(message bytes) {
        const bool right_size = bytes.size() == how_.size || how_.type != framing::kind::fixed;
        if (right_size && fits(bytes.size()) && !closed_) [[likely]] {
            put(bytes);
            return write_status::ok;
        }
        return write_slowly(bytes);
    }

    // Writes all that is pending.
    [[nodiscard]] write_status flush();

    // Bytes that were given to write() and are not yet in the output.
    [[nodiscard]] std::size_t pending() const noexcept { return used_ - flushed_; }

    // Bytes in the output.
    [[nodiscard]] std::uint64_t written() const noexcept { return written_; }

  private:
    [[nodiscard]] bool fits(std::size_t size) const noexcept {
        const auto room = capacity_ - used_;
        return overhead_ <= room && size <= room - overhead_;
    }

    void put(message bytes) noexcept {
        auto* to = data_.get() + used_;
        if (prefixed_) {
            put_prefix(to, bytes.size());
            to += overhead_;
        }
        if (!bytes.empty()) { std::memcpy(to, bytes.data(), bytes.size()); }
        if (delimited_) { to[bytes.size()] = delimiter_; }
        used_ += bytes.size() + overhead_;
    }

    static void put_prefix(std::byte* to, std::size_t size) noexcept {
        for (unsigned i = 0; i < 4; ++i) { to[i] = static_cast<std::byte>(size >> (8U * i)); }
    }

    [[nodiscard]] write_status write_slowly(message bytes);
    [[nodiscard]] write_status write_past_buffer(message bytes);
    [[nodiscard]] write_status write_all(std::span<iovec> parts);
    void check_size(std::size_t size) const;

    int fd_;
    framing how_;
    std::string name_;

    bool prefixed_;
    bool delimited_;
    std::byte delimiter_;
    std::size_t overhead_;  // bytes of delimiter or prefix

    std::unique_ptr<std::byte[]> data_;
    std::size_t capacity_;
    std::size_t used_ = 0;
    std::size_t flushed_ = 0;  // of data_[0, used_), when the output closed in between
    std::uint64_t written_ = 0;
    bool closed_ = false;
};

}  // namespace ringpipe
