#include "pipeline/recording.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::pipeline {
namespace {

constexpr std::size_t time_bytes = 8;
constexpr framing length_framing{framing::kind::length, 0};

void put_time(std::byte* to, std::chrono::nanoseconds time) {
    const auto value = static_cast<std::uint64_t>(time.count());
    for (unsigned i = 0; i < time_bytes; ++i) { to[i] = static_cast<std::byte>(value >> (8U * i)); }
}

std::chrono::nanoseconds time_in(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < time_bytes; ++i) {
        value |= std::to_integer<std::uint64_t>(bytes[i]) << (8U * i);
    }
    return std::chrono::nanoseconds{static_cast<std::int64_t>(value)};
}

frame_reader_options reading(const std::string& name, std::size_t max_message) {
    frame_reader_options options;
    options.name = name;
    options.max_message = max_message + time_bytes;
    options.stop_requested = stop_requested;
    return options;
}

}  // namespace

recording_writer::recording_writer(int fd, std::string name)
    : out_{fd, length_framing, std::move(name)} {
    (void)out_.write(std::as_bytes(std::span{recording_magic}));
}

write_status recording_writer::write(std::span<const std::byte> payload) {
    const auto now = clock::now();
    if (!began_) { began_ = now; }
    frame_.resize(time_bytes + payload.size());
    put_time(frame_.data(), now - *began_);
    std::copy(payload.begin(), payload.end(), frame_.begin() + time_bytes);
    return out_.write(frame_);
}

recording_reader::recording_reader(int fd, std::string name, std::size_t max_message)
    : name_{std::move(name)}, in_{fd, length_framing, reading(name_, max_message)} {
    const auto refuse = [this] {
        throw error{errc::malformed_input,
                    "cannot replay " + name_ + ": it is no recording; ringpipe record makes one"};
    };
    try {
        const auto first = in_.next();
        if (!first && in_.stopped()) { return; }
        const auto magic = std::as_bytes(std::span{recording_magic});
        if (!first || !std::equal(first->begin(), first->end(), magic.begin(), magic.end())) {
            refuse();
        }
    } catch (const error& e) {
        // Four bytes of anything, read as a size.
        if (e.which() != errc::message_too_large && e.which() != errc::malformed_input) { throw; }
        refuse();
    }
}

std::optional<recorded_message> recording_reader::next() {
    const auto frame = in_.next();
    if (!frame) { return std::nullopt; }
    if (frame->size() < time_bytes) {
        throw error{
            errc::malformed_input,
            "cannot replay " + name_ + ": a message in it has no time; the file is damaged"};
    }
    return recorded_message{time_in(*frame), frame->subspan(time_bytes)};
}

}  // namespace ringpipe::pipeline
