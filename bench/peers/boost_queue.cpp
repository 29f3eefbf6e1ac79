// Boost.Interprocess message_queue: a mutex, two conditions, and a priority index.
//
// Set up for its best: as many slots as fit into what the ring has, or 1024; its streams wait in
// receive() and send(), its spinning round trips call try_receive() and try_send().
#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/ipc/message_queue.hpp>

#include "bench/many_to_many.hpp"
#include "bench/peer.hpp"
#include "bench/peers/peers.hpp"

namespace ringpipe::bench {

namespace {

template <std::size_t most_slots>
struct boost_queue_of {
    static constexpr const char* name =
        most_slots == 1024 ? "Boost message_queue, 1024 slots" : "Boost message_queue";
    static constexpr bool can_spin = true;
    static constexpr bool can_block = true;
    static constexpr bool streams_spinning = false;
    static constexpr bool ends_when_senders_go = false;
    static constexpr std::size_t warm_up = most_slots;

    using queue = boost::interprocess::message_queue;

    static queue opened(const link& way) {
        return {boost::interprocess::open_or_create, way.name.c_str(),
                std::min(way.slots(), most_slots), way.message_size};
    }
    static std::string why_not(const link& way) {
        return way.groups > 1 ? "it has one group of receivers" : "";
    }
    static void remove(const link& way) { queue::remove(way.name.c_str()); }

    class sender {
      public:
        sender(const link& way, side&) : to_{opened(way)}, spin_{way.spin} {}
        void send(bytes message) {
            if (!spin_) { return to_.send(message.data(), message.size(), 0); }
            while (!to_.try_send(message.data(), message.size(), 0)) {}
        }

      private:
        queue to_;
        bool spin_;
    };

    class receiver {
      public:
        receiver(const link& way, side&)
            : from_{opened(way)},
              spin_{way.spin},
              shared_{way.senders + way.receivers > 2},
              buffer_(way.message_size) {}

        template <class Use>
        bool receive(Use&& use) {
            queue::size_type size = 0;
            unsigned priority = 0;
            auto* const into = buffer_.data();
            if (spin_) {
                if (!from_.try_receive(into, buffer_.size(), size, priority)) { return false; }
            } else if (shared_) {  // it has no end: look around now and then
                namespace time = boost::posix_time;
                const auto until = time::microsec_clock::universal_time() + time::milliseconds(20);
                if (!from_.timed_receive(into, buffer_.size(), size, priority, until)) {
                    return false;
                }
            } else {
                from_.receive(into, buffer_.size(), size, priority);
            }
            use(bytes{buffer_.data(), size});
            return true;
        }

      private:
        queue from_;
        bool spin_;
        bool shared_;
        std::vector<std::byte> buffer_;
    };
};

using boost_queue_peer = boost_queue_of<std::size_t{1} << 20U>;
using small_boost_queue_peer = boost_queue_of<1024>;

}  // namespace

std::vector<cell> boost_queue_cells(const settings& how) {
    auto cells = all_cells<boost_queue_peer>(how);
    // Beside the large one only where it might be better.
    auto small = how;
    small.sizes = {64};
    for (auto& one : pair_cells<small_boost_queue_peer>(small)) { cells.push_back(std::move(one)); }
    return cells;
}

}  // namespace ringpipe::bench
