#include "common/frame_reader.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "common/error.hpp"
#include "common/units.hpp"

namespace ringpipe {
namespace {

using kind = framing::kind;

constexpr std::size_t prefix_size = 4;

constexpr bool is_delimited(kind type) noexcept { return type == kind::lines || type == kind::nul; }

}  // namespace

frame_reader::frame_reader(int fd, framing how, frame_reader_options options)
    : fd_{fd}, how_{how}, options_{std::move(options)}, capacity_{0} {
    if (how_.type == kind::lines) { delimiter_ = '\n'; }
    if (how_.type == kind::nul) { delimiter_ = '\0'; }
    const bool sized = how_.type == kind::fixed || how_.type == kind::chunks;
    if (sized && how_.size == 0) {
        throw error{errc::invalid_argument,
                    fmt::format("cannot read {} with --framing {}: a message of no bytes never "
                                "ends the input; use a size of at least 1",
                                options_.name, to_string(how_))};
    }
    if (sized && how_.size > options_.max_message) { too_large(how_.size, false); }
    capacity_ = std::max<std::size_t>(options_.buffer, 16);
    data_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
}

bool frame_reader::buffered() const noexcept {
    if (have() == 0) { return false; }
    if (ended_) { return true; }
    switch (how_.type) {
        case kind::lines:
        case kind::nul: return begin_ < complete_;
        case kind::length: return have() >= prefix_size && have() - prefix_size >= length_prefix();
        case kind::fixed:
        case kind::chunks: return have() >= how_.size;
    }
    return false;
}

std::optional<frame_reader::message> frame_reader::next_slowly() {
    switch (how_.type) {
        case kind::lines:
        case kind::nul: return next_delimited();
        case kind::length: return next_with_length();
        case kind::fixed:
        case kind::chunks: return next_of_size();
    }
    return std::nullopt;
}

std::optional<frame_reader::message> frame_reader::next_delimited() {
    // Only now, not in next(): what is incomplete is not searched again with every read.
    while (begin_ >= complete_) {
        if (have() > options_.max_message) { too_large(have(), true); }
        if (read_more(have() + 1)) { continue; }
        if (stopped_ || have() == 0) { return std::nullopt; }
        unterminated_ = true;
        return take(have());
    }
    const auto* start = data_.get() + begin_;
    const auto* end =
        static_cast<const std::byte*>(std::memchr(start, delimiter_, complete_ - begin_));
    const auto size = static_cast<std::size_t>(end - start);
    if (size > options_.max_message) { too_large(size, false); }
    const auto result = take(size);
    ++begin_;
    return result;
}

std::optional<frame_reader::message> frame_reader::next_with_length() {
    if (!fill(prefix_size)) { return short_of(prefix_size, "size before a message"); }
    const auto size = length_prefix();
    if (size > options_.max_message) { too_large(size, false); }
    if (!fill(prefix_size + size)) { return short_of(prefix_size + size, "message with its size"); }
    begin_ += prefix_size;
    return take(size);
}

std::optional<frame_reader::message> frame_reader::next_of_size() {
    if (fill(how_.size)) { return take(how_.size); }
    if (how_.type == kind::fixed) { return short_of(how_.size, "message"); }
    // Any number of bytes is a chunk, so that not even a stop loses what has been read.
    if (have() == 0) { return std::nullopt; }
    return take(have());
}

std::size_t frame_reader::read_into(std::span<std::byte> into) {
    std::size_t filled = std::min(have(), into.size());
    if (filled > 0) { std::memcpy(into.data(), data_.get() + begin_, filled); }
    begin_ += filled;
    while (filled < into.size()) {
        const auto count = read_some(into.subspan(filled));
        if (count == 0) { break; }
        filled += count;
        base_ += count;  // these bytes pass by the buffer, which is empty
    }
    if (how_.type != kind::fixed || filled == into.size() || filled == 0) { return filled; }
    if (stopped_) { return 0; }
    throw error{errc::malformed_input,
                fmt::format("cannot read {} with --framing {}: it ends after {} of the {} bytes of "
                            "the message at byte {}; give it whole messages, or use --framing "
                            "chunks:{}",
                            options_.name, to_string(how_), filled, into.size(), offset() - filled,
                            how_.size)};
}

std::optional<frame_reader::message> frame_reader::short_of(std::size_t whole,
                                                            const char* what) const {
    if (stopped_ || have() == 0) { return std::nullopt; }
    const auto advice =
        how_.type == kind::fixed
            ? fmt::format("give it whole messages, or use --framing chunks:{}", how_.size)
            : std::string{
                  "check that it was written with this framing and that "
                  "nothing was cut off"};
    throw error{errc::malformed_input,
                fmt::format("cannot read {} with --framing {}: it ends after {} of the {} bytes of "
                            "the {} at byte {}; {}",
                            options_.name, to_string(how_), have(), whole, what, offset(), advice)};
}

frame_reader::message frame_reader::take(std::size_t size) noexcept {
    const message result{data_.get() + begin_, size};
    begin_ += size;
    return result;
}

std::size_t frame_reader::length_prefix() const noexcept {
    const auto* from = data_.get() + begin_;
    std::uint32_t size = 0;
    for (std::size_t i = prefix_size; i-- > 0;) {
        size = size << 8U | std::to_integer<std::uint32_t>(from[i]);
    }
    return size;
}

bool frame_reader::fill(std::size_t needed) {
    while (have() < needed) {
        if (!read_more(needed)) { return false; }
    }
    return true;
}

// Reads once, behind what there is, with room for `needed` bytes of it altogether.
bool frame_reader::read_more(std::size_t needed) {
    if (ended_) { return false; }
    make_room(needed);
    const auto count = read_some({data_.get() + end_, capacity_ - end_});
    if (count == 0) { return false; }
    if (is_delimited(how_.type)) {
        const auto* fresh = data_.get() + end_;
        if (const void* last = ::memrchr(fresh, delimiter_, count); last != nullptr) {
            complete_ =
                static_cast<std::size_t>(static_cast<const std::byte*>(last) - data_.get()) + 1;
        }
    }
    end_ += count;
    return true;
}

// Returns 0 at the end of the input and after a stop.
std::size_t frame_reader::read_some(std::span<std::byte> into) {
    stopped_ = false;
    while (!ended_) {
        if (options_.stop_requested && options_.stop_requested()) {
            stopped_ = true;
            return 0;
        }
        const auto count = ::read(fd_, into.data(), into.size());
        if (count > 0) { return static_cast<std::size_t>(count); }
        if (count == 0) {
            ended_ = true;
        } else if (errno == EAGAIN) {
            // Somebody else made this open file non-blocking, as happens to terminals.
            pollfd input{fd_, POLLIN, 0};
            (void)::poll(&input, 1, -1);
        } else if (errno != EINTR) {
            const auto why = std::generic_category().message(errno);
            throw error{errc::io, fmt::format("cannot read {} behind byte {}: {}; check the file "
                                              "or device it comes from",
                                              options_.name, base_ + end_, why)};
        }
    }
    return 0;
}

// Called when no message is complete, so that what is moved is less than one message.
void frame_reader::make_room(std::size_t needed) {
    if (begin_ > 0) {
        std::memmove(data_.get(), data_.get() + begin_, have());
        base_ += begin_;
        end_ -= begin_;
        begin_ = 0;
        complete_ = 0;
    }
    if (needed <= capacity_) { return; }
    const auto most =
        std::max(needed, options_.max_message < std::numeric_limits<std::size_t>::max()
                             ? options_.max_message + 1
                             : options_.max_message);
    const auto larger = std::clamp(capacity_ * 2, needed, most);
    auto data = std::make_unique_for_overwrite<std::byte[]>(larger);
    std::memcpy(data.get(), data_.get(), end_);
    data_ = std::move(data);
    capacity_ = larger;
}

void frame_reader::too_large(std::size_t size, bool more) const {
    throw error{errc::message_too_large,
                fmt::format("cannot read {} with --framing {}: the message at byte {} has {}{} "
                            "bytes and the limit is {}; use a larger --capacity or another "
                            "--framing",
                            options_.name, to_string(how_), offset(), more ? "at least " : "", size,
                            options_.max_message)};
}

}  // namespace ringpipe
