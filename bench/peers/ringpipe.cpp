// ringpipe between many, with default settings; between two it has more ways (cells_ringpipe.cpp).
#include "shm/ring.hpp"

#include "bench/many_to_many.hpp"
#include "bench/peers/peers.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::bench {

namespace {

struct ringpipe_peer {
    static constexpr const char* name = "ringpipe";
    static constexpr bool streams_spinning = false;
    static constexpr bool ends_when_senders_go = true;
    static constexpr std::size_t warm_up = 1U << 20U;

    static ring opened(const link& way) {
        ring_options options;
        options.capacity = way.in_flight;
        return ring::open_or_create(way.name, options);
    }
    static std::string why_not(const link&) { return ""; }
    static void remove(const link& way) { ring::remove(way.name); }

    class sender {
      public:
        sender(const link& way, side&) : to_{opened(way)} {}
        void send(bytes message) { to_.send(message); }

      private:
        producer to_;
    };

    class receiver {
      public:
        receiver(const link& way, side&) : from_{opened(way), options(way)} {}

        template <class Use>
        bool receive(Use&& use) {
            const auto received = from_.receive();
            if (!received) { return false; }
            use(received.payload());
            from_.acknowledge(received);
            return true;
        }

      private:
        static consumer_options options(const link& way) {
            consumer_options made;
            made.group = "group-" + std::to_string(way.index % way.groups);
            return made;
        }
        consumer from_;
    };
};

}  // namespace

std::vector<cell> ringpipe_many_cells(const settings& how) {
    return many_cells<ringpipe_peer>(how);
}

}  // namespace ringpipe::bench
