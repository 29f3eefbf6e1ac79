#include "producer/send_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "common/error.hpp"
#include "common/frame_reader.hpp"
#include "common/open_file.hpp"
#include "common/quote.hpp"
#include "common/shutdown.hpp"
#include "producer/skip_input.hpp"

namespace ringpipe::producer_program {
namespace {

constexpr std::size_t worth_a_loan = 16 << 10;  // bytes

// Straight from the file into the ring, for as long as whole messages are left. Only for files
// that never keep us waiting: while a message is lent, the groups stop in front of it. And a loan
// has no id to resume with.
bool send_in_place(frame_reader& from, const framing& how, int fd, outlet& to) {
    const bool sized = how.type == framing::kind::chunks || how.type == framing::kind::fixed;
    if (!sized || how.size < worth_a_loan || to.resumes()) { return true; }
    for (auto left = bytes_left_in(fd); left >= how.size; left -= how.size) {
        auto message = to.lend(how.size);
        if (!message) { return false; }
        const auto size = from.read_into(message.payload());
        if (size == 0) { break; }  // somebody made the file shorter
        to.send(message, size);
    }
    return true;
}

// `start`: where in all of the input this file begins. What identifies a message is where it ends
// there. False: no more may be sent.
bool send_buffered(frame_reader& from, std::uint64_t start, outlet& to) {
    for (;;) {
        // The next message may be long in coming, and the buffer move for it.
        if (!from.buffered() && !to.flush()) { return false; }
        const auto message = from.next();
        if (!message) { return to.flush() && !from.stopped(); }
        if (!to.add(*message, start + from.offset())) { return false; }
    }
}

// Takes `at`, the place in all of the input, on to the end of this file.
bool send_file(const options& with, const std::string& path, int fd, std::uint64_t& at,
               outlet& to) {
    frame_reader from{fd,
                      with.framing,
                      {.name = input_name(path),
                       .max_message = to.max_message_size(),
                       .stop_requested = stop_requested}};
    try {
        const bool sent = send_in_place(from, with.framing, fd, to) && send_buffered(from, at, to);
        at += from.offset();
        return sent;
    } catch (const error&) {
        (void)to.flush();  // what came before it is good
        throw;
    }
}

[[noreturn]] void refuse_shorter(const options& with, std::uint64_t sent, std::uint64_t has) {
    throw error{errc::malformed_input,
                fmt::format("cannot resume {}: {} bytes of its input were sent already, and this "
                            "input has only {}; start it with the input it had, or under another "
                            "name",
                            in_quotes(with.resume), sent, has)};
}

}  // namespace

bool send_files(const options& with, unique_fd first, outlet& to) {
    const auto sent_before = to.last_id().value_or(0);
    std::uint64_t at = 0;  // in all of the input, one file behind the other
    auto file = std::move(first);
    for (const auto& path : with.files) {
        if (!file) { file = open_input(path); }
        at += skip_input(file.get(), input_name(path), sent_before - std::min(at, sent_before));
        if (stop_requested()) { return false; }
        if (at >= sent_before && !send_file(with, path, file.get(), at, to)) {
            return to.count_reached();
        }
        file.reset();
    }
    if (at < sent_before) { refuse_shorter(with, sent_before, at); }
    return true;
}

}  // namespace ringpipe::producer_program
