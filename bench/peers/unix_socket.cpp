// A Unix stream socket.
//
// Set up for its best: large buffers, one write per message (or one writev per batch), and a
// receiver that takes all there is with one read.
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <thread>

#include "bench/many_to_many.hpp"
#include "bench/peer.hpp"
#include "bench/peers/file_descriptor.hpp"
#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

namespace {

struct unix_socket_peer {
    static constexpr const char* name = "Unix stream socket";
    static constexpr bool can_spin = true;
    static constexpr bool can_block = true;
    static constexpr bool streams_spinning = false;
    static constexpr bool ends_when_senders_go = false;
    static constexpr std::size_t warm_up = 1U << 14U;

    static std::string why_not(const link& way) {
        return way.senders == 1 && way.receivers == 1 ? "" : "it joins two processes";
    }
    static void remove(const link&) {}  // an abstract address is gone with its socket

    static void set_up(int fd, const link& way) {
        const int size = 4 << 20;  // the kernel takes as much of it as it allows
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        set_blocking(fd, !way.spin);
    }

    class address {
      public:
        explicit address(const link& way) {
            to_.sun_family = AF_UNIX;
            way.name.copy(to_.sun_path + 1, sizeof to_.sun_path - 1);
            size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + way.name.size());
        }
        [[nodiscard]] const sockaddr* get() const {
            return reinterpret_cast<const sockaddr*>(&to_);
        }
        [[nodiscard]] socklen_t size() const { return size_; }

      private:
        sockaddr_un to_{};
        socklen_t size_ = 0;
    };

    class sender {
      public:
        sender(const link& way, side&)
            : fd_{checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")} {
            const address to{way};
            checked(connect(fd_.get(), to.get(), to.size()), "connect to " + way.name);
            set_up(fd_.get(), way);
        }
        void send(bytes message) { write_all(fd_.get(), message); }
        void send_batch(std::span<const bytes> batch) { write_batch(fd_.get(), batch); }

      private:
        unique_fd fd_;
    };

    class receiver {
      public:
        receiver(const link& way, side&)
            : way_{way},
              listening_{checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")},
              reader_{way.message_size, std::size_t{1} << 18U} {
            const address mine{way};
            checked(bind(listening_.get(), mine.get(), mine.size()), "bind to " + way.name);
            checked(listen(listening_.get(), 1), "listen at " + way.name);
        }

        template <class Use>
        bool receive(Use&& use) {
            if (fd_.get() < 0) [[unlikely]] {
                fd_ = unique_fd{checked(accept(listening_.get(), nullptr, nullptr), "accept")};
                set_up(fd_.get(), way_);
            }
            return reader_.receive(fd_.get(), use);
        }

      private:
        link way_;
        unique_fd listening_;
        unique_fd fd_;
        message_reader reader_;
    };
};

}  // namespace

std::vector<cell> unix_socket_cells(const settings& how) {
    return all_cells<unix_socket_peer>(how);
}

}  // namespace ringpipe::bench
