// Cuts what a file descriptor yields into messages, without a copy or an allocation for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ringpipe/common/framing.hpp"

namespace ringpipe {

struct frame_reader_options {
    std::string name = "standard input";  // as errors say it
    std::size_t max_message = std::size_t{1} << 30U;
    std::size_t buffer = std::size_t{256} << 10U;  // grows, if a single message needs it

    // Asked before each read(), and again when a signal interrupts one; may be empty.
    std::function<bool()> stop_requested = {};
};

class frame_reader {
  public:
    using message = std::span<const std::byte>;

    // Does not own `fd`. Throws, if no message of this framing could be within max_message.
    frame_reader(int fd, framing how, frame_reader_options options);

    // The next message, valid until a call before which buffered() is false; nothing at the end of
    // the input, or when a stop was requested while it was not yet complete (its bytes stay in the
    // buffer).
    // Throws error(message_too_large | malformed_input | io).
    [[nodiscard]] std::optional<message> next() {
        if (begin_ < complete_) {
            const auto* start = data_.get() + begin_;
            const auto* end =
                static_cast<const std::byte*>(std::memchr(start, delimiter_, complete_ - begin_));
            const auto size = static_cast<std::size_t>(end - start);
            if (size <= options_.max_message) [[likely]] {
                begin_ += size + 1;
                return message{start, size};
            }
        }
        return next_slowly();
    }

    // For chunks and fixed: the next bytes of the input straight into `into`, all of it, less
    // only at the end of the input or after a stop; 0 when nothing is left. With fixed, `into`
    // must have the size of one message, and an incomplete one is no result but an error.
    [[nodiscard]] std::size_t read_into(std::span<std::byte> into);

    // Whether next() would have a message without a read(), which may block. If not, this is
    // the moment to pass on what was held back for a larger batch.
    [[nodiscard]] bool buffered() const noexcept;

    // Whether the last message lacked the delimiter that the others end with.
    [[nodiscard]] bool last_was_unterminated() const noexcept { return unterminated_; }

    // Whether "nothing" came of a stop, not of the end of the input.
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }

    // How many bytes of the input have been handed out, delimiters and sizes included.
    [[nodiscard]] std::uint64_t offset() const noexcept { return base_ + begin_; }

  private:
    [[nodiscard]] std::optional<message> next_slowly();
    [[nodiscard]] std::optional<message> next_delimited();
    [[nodiscard]] std::optional<message> next_with_length();
    [[nodiscard]] std::optional<message> next_of_size();
    [[nodiscard]] std::optional<message> short_of(std::size_t whole, const char* what) const;

    [[nodiscard]] std::size_t have() const noexcept { return end_ - begin_; }
    [[nodiscard]] message take(std::size_t size) noexcept;
    [[nodiscard]] std::size_t length_prefix() const noexcept;
    [[nodiscard]] bool fill(std::size_t needed);
    [[nodiscard]] bool read_more(std::size_t needed);
    [[nodiscard]] std::size_t read_some(std::span<std::byte> into);
    void make_room(std::size_t needed);
    [[noreturn]] void too_large(std::size_t size, bool more) const;

    int fd_;
    framing how_;
    frame_reader_options options_;
    int delimiter_ = -1;  // of lines and nul

    std::unique_ptr<std::byte[]> data_;
    std::size_t capacity_;
    std::size_t begin_ = 0;     // data_[begin_, end_) is read, but not yet handed out
    std::size_t end_ = 0;       //
    std::size_t complete_ = 0;  // behind the last delimiter; 0 without delimiters
    std::uint64_t base_ = 0;    // where in the input data_[0] was

    bool ended_ = false;
    bool stopped_ = false;
    bool unterminated_ = false;
};

}  // namespace ringpipe
