// Any bytes, in pieces of any size, through every framing: the messages of the input or an error.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/frame_reader.hpp"
#include "common/frame_writer.hpp"
#include "common/unique_fd.hpp"
#include "tests/fuzz/target.hpp"

namespace ringpipe::fuzz {
namespace {

constexpr std::size_t longest = 300;  // messages above it are an error

framing chosen(choices& with) {
    constexpr std::array kinds{framing::kind::lines, framing::kind::nul, framing::kind::length,
                               framing::kind::fixed, framing::kind::chunks};
    const auto kind = kinds[with.byte() % kinds.size()];
    const bool sized = kind == framing::kind::fixed || kind == framing::kind::chunks;
    return {kind, sized ? with.byte() % 64U + 1U : 0U};
}

unique_fd file_with(bytes content) {
    unique_fd file{::memfd_create("fuzz", MFD_CLOEXEC)};
    must(file.get() >= 0);
    must(::write(file.get(), content.data(), content.size()) ==
         static_cast<ssize_t>(content.size()));
    must(::lseek(file.get(), 0, SEEK_SET) == 0);
    return file;
}

struct outcome {
    std::vector<std::string> messages;
    bool failed = false;
    bool unterminated = false;

    bool operator==(const outcome&) const = default;
};

outcome read_all(bytes content, framing how, std::size_t buffer) {
    const auto file = file_with(content);
    outcome result;
    try {
        frame_reader reader{
            file.get(), how, {.name = "'in'", .max_message = longest, .buffer = buffer}};
        while (const auto one = reader.next()) {
            must(one->size() <= longest);
            must(how.type != framing::kind::fixed || one->size() == how.size);
            must(how.type != framing::kind::chunks || one->size() <= how.size);
            result.messages.emplace_back(reinterpret_cast<const char*>(one->data()), one->size());
            result.unterminated = reader.last_was_unterminated();
        }
        must(reader.offset() == content.size());
    } catch (const error& why) {
        must(why.which() == errc::malformed_input || why.which() == errc::message_too_large);
        result.failed = true;
    }
    return result;
}

std::string written(const outcome& what, framing how, std::size_t buffer) {
    const auto file = file_with({});
    frame_writer writer{file.get(), how, "'out'", buffer};
    for (const auto& each : what.messages) {
        must(writer.write(std::as_bytes(std::span{each})) == write_status::ok);
    }
    must(writer.flush() == write_status::ok);
    std::string all(writer.written(), '\0');
    must(::pread(file.get(), all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
    return all;
}

}  // namespace

void framing_readers(bytes input) {
    choices with{input};
    const auto how = chosen(with);
    const std::size_t buffer = with.byte() + 1U;
    const auto content = with.rest();
    const auto result = read_all(content, how, buffer);
    // However the input is cut into reads, the messages are the same.
    must(result == read_all(content, how, 4096));
    if (result.failed) { return; }
    // And written again they are the input, but for a last delimiter that it lacked.
    auto expected = std::string{reinterpret_cast<const char*>(content.data()), content.size()};
    if (result.unterminated && how.type == framing::kind::lines) { expected += '\n'; }
    if (result.unterminated && how.type == framing::kind::nul) { expected += '\0'; }
    must(written(result, how, buffer) == expected);
}

}  // namespace ringpipe::fuzz
