#include "common/frame_writer.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "common/error.hpp"

namespace ringpipe {
namespace {

using kind = framing::kind;

constexpr std::size_t prefix_size = 4;
constexpr std::size_t least_buffer = 64;
constexpr std::size_t most_buffer = std::size_t{1} << 30U;  // so that a prefix can say any size

iovec part(const std::byte* data, std::size_t size) noexcept {
    return {const_cast<std::byte*>(data), size};  // writev() only reads it
}

}  // namespace

frame_writer::frame_writer(int fd, framing how, std::string name, std::size_t buffer)
    : fd_{fd},
      how_{how},
      name_{std::move(name)},
      prefixed_{how.type == kind::length},
      delimited_{how.type == kind::lines || how.type == kind::nul},
      delimiter_{how.type == kind::lines ? std::byte{'\n'} : std::byte{0}},
      overhead_{prefixed_    ? prefix_size
                : delimited_ ? 1U
                             : 0U},
      data_{},
      capacity_{std::clamp(buffer, least_buffer, most_buffer)} {
    data_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
}

void frame_writer::check_size(std::size_t size) const {
    if (how_.type == kind::fixed && size != how_.size) {
        throw error{errc::malformed_input,
                    fmt::format("cannot write a message of {} bytes to {} with --framing {}: its "
                                "size differs; use --framing length, or chunks:{} to write it as "
                                "it is",
                                size, name_, to_string(how_), how_.size)};
    }
    if (prefixed_ && size > std::numeric_limits<std::uint32_t>::max()) {
        throw error{errc::message_too_large,
                    fmt::format("cannot write a message of {} bytes to {} with --framing length: "
                                "its 4-byte size cannot say that; use another --framing",
                                size, name_)};
    }
}

write_status frame_writer::write_slowly(message bytes) {
    if (closed_) { return write_status::closed; }
    check_size(bytes.size());
    // A large message is not worth a copy. A small one is, and begins the next buffer.
    if (bytes.size() > capacity_ / 4) { return write_past_buffer(bytes); }
    if (flush() == write_status::closed) { return write_status::closed; }
    put(bytes);
    return write_status::ok;
}

write_status frame_writer::write_past_buffer(message bytes) {
    std::array<std::byte, prefix_size> prefix{};
    put_prefix(prefix.data(), bytes.size());
    std::array parts{
        part(data_.get() + flushed_, used_ - flushed_),
        part(prefix.data(), prefixed_ ? prefix.size() : 0),
        part(bytes.data(), bytes.size()),
        part(&delimiter_, delimited_ ? 1 : 0),
    };
    if (write_all(parts) == write_status::closed) { return write_status::closed; }
    used_ = 0;
    flushed_ = 0;
    return write_status::ok;
}

write_status frame_writer::flush() {
    if (closed_) { return write_status::closed; }
    std::array parts{part(data_.get() + flushed_, used_ - flushed_)};
    if (write_all(parts) == write_status::closed) { return write_status::closed; }
    used_ = 0;
    flushed_ = 0;
    return write_status::ok;
}

// The first of the parts is what is pending in the buffer.
write_status frame_writer::write_all(std::span<iovec> parts) {
    const auto pending_before = pending();
    std::uint64_t done = 0;
    for (;;) {
        while (!parts.empty() && parts.front().iov_len == 0) { parts = parts.subspan(1); }
        if (parts.empty()) { return write_status::ok; }
        const auto count = ::writev(fd_, parts.data(), static_cast<int>(parts.size()));
        if (count >= 0) {
            auto rest = static_cast<std::size_t>(count);
            written_ += rest;
            done += rest;
            flushed_ = used_ - (pending_before - std::min<std::uint64_t>(done, pending_before));
            for (auto& p : parts) {
                const auto taken = std::min(rest, p.iov_len);
                p.iov_base = static_cast<std::byte*>(p.iov_base) + taken;
                p.iov_len -= taken;
                rest -= taken;
            }
        } else if (errno == EPIPE) {
            closed_ = true;
            return write_status::closed;
        } else if (errno == EAGAIN) {
            // Somebody else made this open file non-blocking, as happens to terminals.
            pollfd output{fd_, POLLOUT, 0};
            (void)::poll(&output, 1, -1);
        } else if (errno != EINTR) {
            const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
            const auto why = std::generic_category().message(errno);
            throw error{
                errc::io,
                fmt::format("cannot write to {} behind byte {}: {}; {}", name_, written_, why,
                            full ? "make room there, or write elsewhere, and start again"
                                 : "check the file or device it goes to")};
        }
    }
}

}  // namespace ringpipe
