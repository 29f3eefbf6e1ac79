// A named pipe: the kernel's own ring of pages.
//
// Set up for its best: the largest buffer that an unprivileged process may have, one write per
// message (or one writev per batch), and a reader that takes all there is with one read.
#include <sys/stat.h>

#include <climits>
#include <fstream>

#include "bench/many_to_many.hpp"
#include "bench/peer.hpp"
#include "bench/peers/file_descriptor.hpp"
#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

namespace {

struct pipe_peer {
    static constexpr const char* name = "pipe";
    static constexpr bool can_spin = true;
    static constexpr bool can_block = true;
    static constexpr bool streams_spinning = false;
    static constexpr bool ends_when_senders_go = true;
    static constexpr std::size_t warm_up = 1U << 14U;

    static std::string path(const link& way) { return "/tmp/" + way.name + ".pipe"; }
    // A write of several to one pipe is whole up to this size; a reader takes what it asks for.
    static std::string why_not(const link& way) {
        if (way.groups > 1) { return "a pipe has one group of readers"; }
        const bool alone = way.senders == 1 && way.receivers == 1;
        return alone || way.message_size <= PIPE_BUF ? "" : "writes above 4 KiB mix";
    }
    static void remove(const link& way) { unlink(path(way).c_str()); }

    static unique_fd opened(const link& way, int mode) {
        const auto where = path(way);
        if (mkfifo(where.c_str(), 0600) != 0 && errno != EEXIST) { checked(-1, where); }
        unique_fd fd{checked(open(where.c_str(), mode | O_CLOEXEC), where)};
        int largest = 1 << 20;
        std::ifstream{"/proc/sys/fs/pipe-max-size"} >> largest;
        (void)fcntl(fd.get(), F_SETPIPE_SZ, largest);  // a user's quota may be spent
        set_blocking(fd.get(), !way.spin);
        return fd;
    }

    class sender {
      public:
        sender(const link& way, side&) : fd_{opened(way, O_WRONLY)} {}
        void send(bytes message) { write_all(fd_.get(), message); }
        void send_batch(std::span<const bytes> batch) { write_batch(fd_.get(), batch); }

      private:
        unique_fd fd_;
    };

    class receiver {
      public:
        // Opened so that it does not wait for a writer. Who shares the pipe takes one at a time.
        receiver(const link& way, side&)
            : fd_{opened(way, O_RDONLY | O_NONBLOCK)},
              reader_{way.message_size, way.receivers > 1 ? 0 : std::size_t{1} << 18U} {}

        template <class Use>
        bool receive(Use&& use) {
            return reader_.receive(fd_.get(), use);
        }

      private:
        unique_fd fd_;
        message_reader reader_;
    };
};

}  // namespace

std::vector<cell> pipe_cells(const settings& how) { return all_cells<pipe_peer>(how); }

}  // namespace ringpipe::bench
