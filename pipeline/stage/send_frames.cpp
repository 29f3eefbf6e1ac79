#include "pipeline/stage/send_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

bool send_frames(int fd, const ring& to, producer& out, const options& what) {
    const frames cut{what.frame};
    const auto most = static_cast<std::size_t>(to.max_message_size());
    std::vector<char> text(std::min(static_cast<std::size_t>(what.block), most));
    std::size_t have = 0;
    bool sent = false;
    const auto send = [&](std::size_t size) {
        sent = true;
        out.send(std::as_bytes(std::span{text.data(), size}));
        have -= size;
        std::memmove(text.data(), text.data() + size, have);
    };
    for (;;) {
        if (have == text.size()) {
            if (have == most) { too_long(what, most); }
            text.resize(std::min(most, text.size() * 2));
        }
        const auto count = read_some(fd, std::span{text}.subspan(have));
        if (count == 0) { break; }
        const auto seen = have;
        have += count;
        if (const auto whole = cut.whole({text.data(), have}, seen); whole > 0) { send(whole); }
    }
    if (have == 0) { return sent; }
    const auto delimiter = cut.delimiter();
    if (!delimiter && what.frame.type != framing::kind::chunks) {
        throw error{errc::malformed_input,
                    fmt::format("{}: the last message of framing {} is not complete: {} bytes are "
                                "left over",
                                what.label, to_string(what.frame), have)};
    }
    if (what.whole_lines && delimiter) {
        // `have` is less than the size: a full buffer has been made larger above.
        text[have++] = *delimiter;
    }
    send(have);
    return sent;
}

}  // namespace ringpipe::pipeline::stage
