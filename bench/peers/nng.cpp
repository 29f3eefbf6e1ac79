// NNG: PUSH and PULL over ipc:// (a Unix socket), with threads of its own on each side.
//
// Set up for its best: buffers of 8192 messages on both sides (the default is none), messages that
// are built in and read from NNG's own memory, threads that may run on either core.
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>

#include "bench/many_to_many.hpp"
#include "bench/peer.hpp"
#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

namespace {

void check_nng(int result, const char* what) {
    if (result != 0) { throw std::runtime_error(std::string{what} + ": " + nng_strerror(result)); }
}

struct nng_peer {
    static constexpr const char* name = "NNG";
    static constexpr bool can_spin = false;  // its threads want the core
    static constexpr bool can_block = true;
    static constexpr bool streams_spinning = false;
    static constexpr bool ends_when_senders_go = false;
    static constexpr std::size_t warm_up = 1U << 12U;

    static std::string why_not(const link& way) {
        return way.groups > 1 ? "PUB and SUB drop messages" : "";
    }
    static std::string path(const link& way, std::size_t receiver) {
        return "/tmp/" + way.name + '-' + std::to_string(receiver) + ".nng";
    }
    static void remove(const link& way) {
        for (std::size_t i = 0; i < way.receivers; ++i) { unlink(path(way, i).c_str()); }
    }
    // Some protocols have no buffer on one side.
    static void set_buffers(nng_socket of, const link& way) {
        const int deep = static_cast<int>(std::min<std::size_t>(way.slots(), 8192));
        (void)nng_socket_set_int(of, NNG_OPT_SENDBUF, deep);
        (void)nng_socket_set_int(of, NNG_OPT_RECVBUF, deep);
        (void)nng_socket_set_size(of, NNG_OPT_RECVMAXSZ, 0);
    }

    class sender {
      public:
        sender(const link& way, side& me) {
            me.on_both_cores([&] {
                check_nng(nng_push0_open(&to_), "nng_push0_open");
                set_buffers(to_, way);
                for (std::size_t i = 0; i < way.receivers; ++i) {
                    check_nng(nng_dial(to_, ("ipc://" + path(way, i)).c_str(), nullptr, 0),
                              "nng_dial");
                }
            });
        }
        ~sender() { nng_close(to_); }
        sender(const sender&) = delete;
        sender& operator=(const sender&) = delete;

        void send(bytes message) {
            nng_msg* made = nullptr;
            check_nng(nng_msg_alloc(&made, message.size()), "nng_msg_alloc");
            std::memcpy(nng_msg_body(made), message.data(), message.size());
            if (const int result = nng_sendmsg(to_, made, 0); result != 0) {
                nng_msg_free(made);
                check_nng(result, "nng_sendmsg");
            }
        }

      private:
        nng_socket to_{};
    };

    class receiver {
      public:
        receiver(const link& way, side& me) {
            me.on_both_cores([&] {
                check_nng(nng_pull0_open(&from_), "nng_pull0_open");
                set_buffers(from_, way);
                if (way.senders + way.receivers > 2) {
                    check_nng(nng_socket_set_ms(from_, NNG_OPT_RECVTIMEO, 20), "a time-out");
                }
                check_nng(nng_listen(from_, ("ipc://" + path(way, way.index)).c_str(), nullptr, 0),
                          "nng_listen");
            });
        }
        ~receiver() { nng_close(from_); }
        receiver(const receiver&) = delete;
        receiver& operator=(const receiver&) = delete;

        template <class Use>
        bool receive(Use&& use) {
            nng_msg* got = nullptr;
            const int result = nng_recvmsg(from_, &got, 0);
            if (result == NNG_ETIMEDOUT) { return false; }
            check_nng(result, "nng_recvmsg");
            use(bytes{static_cast<const std::byte*>(nng_msg_body(got)), nng_msg_len(got)});
            nng_msg_free(got);
            return true;
        }

      private:
        nng_socket from_{};
    };
};

}  // namespace

std::vector<cell> nng_cells(const settings& how) { return all_cells<nng_peer>(how); }

}  // namespace ringpipe::bench
