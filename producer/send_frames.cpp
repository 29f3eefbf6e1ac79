#include "producer/send_frames.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "common/error.hpp"
#include "common/frame_reader.hpp"
#include "common/open_file.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::producer_program {
namespace {

constexpr std::size_t worth_a_loan = 16 << 10;  // bytes

// What a regular file still holds; 0 for all others.
std::uint64_t bytes_left_in(int fd) {
    struct stat about {};
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) { return 0; }
    const auto at = ::lseek(fd, 0, SEEK_CUR);
    return at >= 0 && about.st_size > at ? static_cast<std::uint64_t>(about.st_size - at) : 0;
}

// Straight from the file into the ring, for as long as whole messages are left. Only for files
// that never keep us waiting: while a message is lent, the groups stop in front of it.
bool send_in_place(frame_reader& from, const framing& how, int fd, outlet& to) {
    const bool sized = how.type == framing::kind::chunks || how.type == framing::kind::fixed;
    if (!sized || how.size < worth_a_loan) { return true; }
    for (auto left = bytes_left_in(fd); left >= how.size; left -= how.size) {
        auto message = to.lend(how.size);
        if (!message) { return false; }
        const auto size = from.read_into(message.payload());
        if (size == 0) { break; }  // somebody made the file shorter
        to.send(message, size);
    }
    return true;
}

// False: no more may be sent.
bool send_buffered(frame_reader& from, outlet& to) {
    for (;;) {
        // The next message may be long in coming, and the buffer move for it.
        if (!from.buffered() && !to.flush()) { return false; }
        const auto message = from.next();
        if (!message) { return to.flush() && !from.stopped(); }
        if (!to.add(*message)) { return false; }
    }
}

bool send_file(const options& with, const std::string& path, int fd, outlet& to) {
    frame_reader from{fd,
                      with.framing,
                      {.name = input_name(path),
                       .max_message = to.max_message_size(),
                       .stop_requested = stop_requested}};
    try {
        return send_in_place(from, with.framing, fd, to) && send_buffered(from, to);
    } catch (const error&) {
        (void)to.flush();  // what came before it is good
        throw;
    }
}

}  // namespace

bool send_files(const options& with, unique_fd first, outlet& to) {
    auto file = std::move(first);
    for (const auto& path : with.files) {
        if (!file) { file = open_input(path); }
        if (!send_file(with, path, file.get(), to)) { return to.count_reached(); }
        file.reset();
    }
    return true;
}

}  // namespace ringpipe::producer_program
