#include "pipeline/stage/send_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "common/error.hpp"
#include "pipeline/stage/descriptor.hpp"

namespace ringpipe::pipeline::stage {

void send_lines(int fd, const ring& to, producer& out, const options& what) {
    const auto most = static_cast<std::size_t>(to.max_message_size());
    std::vector<char> text(std::min(static_cast<std::size_t>(what.block), most));
    std::size_t have = 0;
    const auto send = [&](std::size_t size) {
        out.send(std::as_bytes(std::span{text.data(), size}));
        have -= size;
        std::memmove(text.data(), text.data() + size, have);
    };
    for (;;) {
        if (have == text.size()) {
            if (have == most) {
                throw error{errc::message_too_large,
                            fmt::format("{}: a line is longer than the {} bytes that the ring "
                                        "takes; give a larger --capacity",
                                        what.label, most)};
            }
            text.resize(std::min(most, text.size() * 2));
        }
        const auto count = read_some(fd, std::span{text}.subspan(have));
        if (count == 0) { break; }
        const auto* last = static_cast<const char*>(::memrchr(text.data() + have, '\n', count));
        have += count;
        if (last != nullptr) { send(static_cast<std::size_t>(last + 1 - text.data())); }
    }
    if (have == 0) { return; }
    if (what.whole_lines) {
        // `have` is less than the size: a full buffer has been made larger above.
        text[have++] = '\n';
    }
    send(have);
}

}  // namespace ringpipe::pipeline::stage
