// A POSIX message queue: the kernel keeps whole messages, with priorities.
//
// Set up for its best: as deep as this user may have it, up to 8192 messages (the default is 10).
#include <mqueue.h>
#include <sys/resource.h>

#include <ctime>
#include <fstream>

#include "bench/many_to_many.hpp"
#include "bench/peer.hpp"
#include "bench/peers/file_descriptor.hpp"
#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

namespace {

struct posix_queue_peer {
    static constexpr const char* name = "POSIX message queue";
    static constexpr bool can_spin = true;
    static constexpr bool can_block = true;
    static constexpr bool streams_spinning = false;
    static constexpr bool ends_when_senders_go = false;
    static constexpr std::size_t warm_up = 1U << 14U;

    // What every user may have: 10 messages of 8 KiB, unless the system says otherwise.
    static long limit(const char* which) {
        long value = 0;
        std::ifstream{std::string{"/proc/sys/fs/mqueue/"} + which} >> value;
        return value;
    }

    // -1 if even the shallowest is refused.
    static mqd_t opened(const link& way) {
        const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
        (void)setrlimit(RLIMIT_MSGQUEUE, &all);  // for those who may
        mq_attr wanted{};
        wanted.mq_msgsize = static_cast<long>(way.message_size);
        const auto path = '/' + way.name;
        const int flags = O_RDWR | O_CREAT | O_CLOEXEC | (way.spin ? O_NONBLOCK : 0);
        const auto many = static_cast<long>(std::min<std::size_t>(way.slots(), 8192));
        for (const long depth : {many, many / 8, limit("msg_max"), 10L, 1L}) {
            wanted.mq_maxmsg = std::max(depth, 1L);
            const auto queue = mq_open(path.c_str(), flags, 0600, &wanted);
            if (queue != -1) { return queue; }
        }
        return -1;
    }

    static std::string why_not(const link& way) {
        if (way.groups > 1) { return "it has one group of receivers"; }
        const auto queue = opened(way);
        if (queue == -1 && errno == EINVAL) { return "above /proc/sys/fs/mqueue/msgsize_max"; }
        if (queue == -1) { return std::string{"mq_open: "} + std::strerror(errno); }
        mq_close(queue);
        remove(way);
        return "";
    }
    static void remove(const link& way) { mq_unlink(('/' + way.name).c_str()); }

    class queue {
      public:
        explicit queue(const link& way) : queue_{opened(way)} { checked(queue_, "mq_open"); }
        ~queue() { mq_close(queue_); }
        queue(const queue&) = delete;
        queue& operator=(const queue&) = delete;
        [[nodiscard]] mqd_t get() const { return queue_; }

      private:
        mqd_t queue_;
    };

    class sender {
      public:
        sender(const link& way, side&) : to_{way} {}
        void send(bytes message) {
            const auto* data = reinterpret_cast<const char*>(message.data());
            while (try_again(mq_send(to_.get(), data, message.size(), 0), "mq_send")) {}
        }

      private:
        queue to_;
    };

    class receiver {
      public:
        receiver(const link& way, side&)
            : from_{way}, shared_{way.senders + way.receivers > 2}, buffer_(way.message_size) {}

        template <class Use>
        bool receive(Use&& use) {
            auto* into = reinterpret_cast<char*>(buffer_.data());
            ssize_t got = 0;
            if (shared_) {  // it has no end: look around now and then
                timespec until{};
                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += 20'000'000;
                until.tv_sec += until.tv_nsec / 1'000'000'000;
                until.tv_nsec %= 1'000'000'000;
                got = mq_timedreceive(from_.get(), into, buffer_.size(), nullptr, &until);
                if (got < 0 && errno == ETIMEDOUT) { return false; }
            } else {
                got = mq_receive(from_.get(), into, buffer_.size(), nullptr);
            }
            if (try_again(got, "mq_receive")) { return false; }
            use(bytes{buffer_.data(), static_cast<std::size_t>(got)});
            return true;
        }

      private:
        queue from_;
        bool shared_;
        std::vector<std::byte> buffer_;
    };
};

}  // namespace

std::vector<cell> posix_queue_cells(const settings& how) {
    return all_cells<posix_queue_peer>(how);
}

}  // namespace ringpipe::bench
