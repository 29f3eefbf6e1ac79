// ZeroMQ: PUSH and PULL over ipc:// (a Unix socket), with an I/O thread on each side.
//
// Set up for its best: its queues hold as much as the ring (the default is 1000 messages), its I/O
// thread may run on either core, and the receiver reads messages where ZeroMQ has put them. It makes
// batches by itself.
#include <zmq.h>

#include <memory>

#include "bench/many_to_many.hpp"
#include "bench/peer.hpp"
#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

namespace {

int checked(int result, const char* what) {
    if (result < 0) { throw std::runtime_error(std::string{what} + ": " + zmq_strerror(errno)); }
    return result;
}

struct zeromq_peer {
    static constexpr const char* name = "ZeroMQ";
    static constexpr bool can_spin = false;  // its I/O thread wants the core
    static constexpr bool can_block = true;
    static constexpr bool streams_spinning = false;
    static constexpr bool ends_when_senders_go = false;
    static constexpr std::size_t warm_up = 1U << 16U;

    static std::string why_not(const link& way) {
        return way.groups > 1 ? "PUB and SUB drop messages" : "";
    }
    // Each receiver is bound to a socket of its own, and each sender is connected to all.
    static std::string path(const link& way, std::size_t receiver) {
        return "/tmp/" + way.name + '-' + std::to_string(receiver) + ".zmq";
    }
    static void remove(const link& way) {
        for (std::size_t i = 0; i < way.receivers; ++i) { unlink(path(way, i).c_str()); }
    }

    class socket {
      public:
        socket(const link& way, int kind) : context_{zmq_ctx_new()} {
            socket_.reset(zmq_socket(context_.get(), kind));
            set(ZMQ_SNDHWM, static_cast<int>(way.slots()));
            set(ZMQ_RCVHWM, static_cast<int>(way.slots()));
            set(ZMQ_LINGER, 10'000);
            if (way.senders + way.receivers > 2) { set(ZMQ_RCVTIMEO, 20); }
        }
        void* get() const { return socket_.get(); }

      private:
        void set(int option, int value) {
            checked(zmq_setsockopt(get(), option, &value, sizeof value), "zmq_setsockopt");
        }
        struct end_context {
            void operator()(void* one) const { zmq_ctx_term(one); }
        };
        struct close_socket {
            void operator()(void* one) const { zmq_close(one); }
        };
        std::unique_ptr<void, end_context> context_;
        std::unique_ptr<void, close_socket> socket_;
    };

    class sender {
      public:
        sender(const link& way, side& me) : to_{way, ZMQ_PUSH} {
            me.on_both_cores([&] {
                for (std::size_t i = 0; i < way.receivers; ++i) {
                    checked(zmq_connect(to_.get(), ("ipc://" + path(way, i)).c_str()),
                            "zmq_connect");
                }
            });
        }
        void send(bytes message) {
            checked(zmq_send(to_.get(), message.data(), message.size(), 0), "zmq_send");
        }

      private:
        socket to_;
    };

    class receiver {
      public:
        receiver(const link& way, side& me) : from_{way, ZMQ_PULL} {
            me.on_both_cores([&] {
                checked(zmq_bind(from_.get(), ("ipc://" + path(way, way.index)).c_str()),
                        "zmq_bind");
            });
            zmq_msg_init(&message_);
        }
        ~receiver() { zmq_msg_close(&message_); }
        receiver(const receiver&) = delete;
        receiver& operator=(const receiver&) = delete;

        template <class Use>
        bool receive(Use&& use) {
            if (zmq_msg_recv(&message_, from_.get(), 0) < 0) {
                if (errno == EAGAIN || errno == EINTR) { return false; }
                checked(-1, "zmq_msg_recv");
            }
            use(bytes{static_cast<const std::byte*>(zmq_msg_data(&message_)),
                      zmq_msg_size(&message_)});
            return true;
        }

      private:
        socket from_;
        zmq_msg_t message_{};
    };
};

}  // namespace

std::vector<cell> zeromq_cells(const settings& how) { return all_cells<zeromq_peer>(how); }

}  // namespace ringpipe::bench
