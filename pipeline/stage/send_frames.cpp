#include "pipeline/stage/send_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "pipeline/stage/descriptor.hpp"
#include "pipeline/stage/frames.hpp"

namespace ringpipe::pipeline::stage {
namespace {

[[noreturn]] void too_long(const options& what, std::size_t most) {
    throw error{
        errc::message_too_large,
        fmt::format("{}: {} is longer than the {} bytes that the ring takes; give a larger "
                    "--capacity",
                    what.label, what.frame.type == framing::kind::lines ? "a line" : "a message",
                    most)};
}

// What its predecessor has sent before it was killed.
void skip(int fd, std::uint64_t size, const options& what) {
    std::vector<char> ignored(std::size_t{64} << 10U);
    for (auto left = size; left > 0;) {
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left, ignored.size()));
        const auto count = read_some(fd, std::span{ignored}.first(most));
        if (count == 0) {
            throw error{errc::malformed_input,
                        fmt::format("{}: cannot go on behind byte {}: this time there are only {}; "
                                    "a source that is resumed has to give the same again",
                                    what.label, size, size - left)};
        }
        left -= count;
    }
}

// Besides us and the run itself, which is one as long as anybody may come.
bool others_send_to(const ring& to) { return to.status().producers > 2; }

}  // namespace

bool send_frames(int fd, const ring& to, producer& out, const options& what) {
    const frames cut{what.frame};
    const bool numbered = what.resumable && !what.from;
    const auto most = static_cast<std::size_t>(numbered ? most_with_id(to) : to.max_message_size());
    std::vector<char> text(std::min(static_cast<std::size_t>(what.block), most));
    std::size_t have = 0;
    pacing pace;
    bool sent = false;
    auto offset = numbered ? out.last_id().value_or(0) : 0;
    skip(fd, offset, what);
    const auto send = [&](std::size_t size, std::size_t read) {
        sent = true;
        const auto bytes = std::as_bytes(std::span{text.data(), size});
        offset += read;
        numbered ? out.send(bytes, offset) : out.send(bytes);
        have -= size;
        std::memmove(text.data(), text.data() + size, have);
    };
    for (;;) {
        if (have == text.size()) {
            if (have == most) { too_long(what, most); }
            text.resize(std::min(most, text.size() * 2));
        }
        const auto count = read_some(fd, std::span{text}.subspan(have), pace);
        if (count == 0) { break; }
        const auto seen = have;
        have += count;
        if (const auto whole = cut.whole({text.data(), have}, seen); whole > 0) {
            send(whole, whole);
        }
    }
    if (have == 0) { return sent; }
    const auto delimiter = cut.delimiter();
    if (!delimiter && what.frame.type != framing::kind::chunks) {
        throw error{errc::malformed_input,
                    fmt::format("{}: the last message of framing {} is not complete: {} bytes are "
                                "left over",
                                what.label, to_string(what.frame), have)};
    }
    const auto read = have;
    if (delimiter && (what.whole_lines || others_send_to(to))) {
        // `have` is less than the size: a full buffer has been made larger above.
        text[have++] = *delimiter;
    }
    send(have, read);
    return sent;
}

}  // namespace ringpipe::pipeline::stage
