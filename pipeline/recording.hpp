// The file that `record` writes and `replay` reads: messages with the times at which they came.
//
// In the framing "length" (4 bytes of size, little-endian, before each): first the text of `magic`,
// then each message behind 8 bytes of nanoseconds since the first one, little-endian.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "common/frame_reader.hpp"
#include "common/frame_writer.hpp"

namespace ringpipe::pipeline {

inline constexpr std::string_view recording_magic = "ringpipe recording 1";

class recording_writer {
  public:
    // Does not own `fd`. Throws error(io).
    recording_writer(int fd, std::string name);

    [[nodiscard]] write_status write(std::span<const std::byte> payload);
    [[nodiscard]] write_status flush() { return out_.flush(); }

  private:
    frame_writer out_;
    std::optional<clock::time_point> began_;
    std::vector<std::byte> frame_;
};

struct recorded_message {
    std::chrono::nanoseconds at{};  // since the first
    std::span<const std::byte> payload;
};

class recording_reader {
  public:
    // Does not own `fd`. Throws error(malformed_input) if it is no recording.
    recording_reader(int fd, std::string name, std::size_t max_message);

    // Nothing at the end, or after a stop signal. The payload is valid until the next call.
    // Throws error(malformed_input | message_too_large | io).
    [[nodiscard]] std::optional<recorded_message> next();

  private:
    std::string name_;
    frame_reader in_;
};

}  // namespace ringpipe::pipeline
