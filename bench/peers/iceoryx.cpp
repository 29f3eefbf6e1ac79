// iceoryx: publisher and subscriber over chunks in shared memory, with a daemon.
//
// Set up for its best: the subscriber's queue is the largest there is (256 chunks) and blocks the
// publisher when it is full (by default, it would drop messages); messages are built in and read
// from its chunks; the subscriber polls, or waits in a WaitSet for the blocked round trip.
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include <filesystem>
#include <optional>
#include <thread>

#include "bench/many_to_many.hpp"
#include "bench/peer.hpp"
#include "bench/peers/peers.hpp"
#include "bench/peers/roudi.hpp"

namespace ringpipe::bench {

namespace {

// Our processes' sockets and their locks are called so: they end without leaving the runtime.
std::string prefix(pid_t starter) { return "ringpipe-bench-" + std::to_string(starter) + "-iox-"; }

void remove_sockets() {
    const auto ours = prefix(getpid());
    for (const auto& one : std::filesystem::directory_iterator{"/tmp"}) {
        if (one.path().filename().string().starts_with(ours)) {
            std::error_code ignored;
            std::filesystem::remove(one.path(), ignored);
        }
    }
}

// A process's connection with the daemon; its thread may run on either core.
void join(const side& me) {
    static bool joined = false;
    if (std::exchange(joined, true)) { return; }
    me.on_both_cores([] {
        iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
            iox::log::LogLevel::kError, iox::log::LogLevelOutput::kHideLogLevel);
        const auto name = prefix(getppid()) + std::to_string(getpid());
        iox::runtime::PoshRuntime::initRuntime({iox::cxx::TruncateToCapacity, name});
    });
}

iox::capro::ServiceDescription service(const link& way) {
    return {"ringpipe", "bench", {iox::cxx::TruncateToCapacity, way.name}};
}

template <class Ready>
void wait_until(const char* what, Ready&& ready) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!ready()) {
        if (std::chrono::steady_clock::now() > patience) { throw std::runtime_error(what); }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

struct iceoryx_peer {
    static constexpr const char* name = "iceoryx";
    static constexpr bool can_spin = true;
    static constexpr bool can_block = true;
    static constexpr bool streams_spinning = true;
    static constexpr bool ends_when_senders_go = false;
    static constexpr std::size_t warm_up = 1U << 12U;

    static std::string why_not(const link& way) {
        return way.receivers == 1 || way.groups == way.receivers
                   ? ""
                   : "each subscriber sees every message";
    }
    static void remove(const link&) {}

    class sender {
      public:
        sender(const link& way, side& me) : size_{static_cast<std::uint32_t>(way.message_size)} {
            join(me);
            iox::popo::PublisherOptions options;
            options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
            to_.emplace(service(way), options);
            wait_until("no subscriber came", [&] { return to_->hasSubscribers(); });
        }
        void send(bytes message) {
            to_->loan(size_)
                .and_then([&](void* chunk) {
                    std::memcpy(chunk, message.data(), message.size());
                    to_->publish(chunk);
                })
                .or_else([](auto) { throw std::runtime_error("iceoryx has no chunk left"); });
        }

      private:
        std::uint32_t size_;
        std::optional<iox::popo::UntypedPublisher> to_;
    };

    class receiver {
      public:
        receiver(const link& way, side& me)
            : size_{way.message_size}, spin_{way.spin}, shared_{way.senders + way.receivers > 2} {
            join(me);
            iox::popo::SubscriberOptions options;
            options.queueCapacity = iox::MAX_SUBSCRIBER_QUEUE_CAPACITY;
            options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
            from_.emplace(service(way), options);
            if (spin_) { return; }
            waiting_.emplace();
            waiting_->attachState(*from_, iox::popo::SubscriberState::HAS_DATA).or_else([](auto) {
                throw std::runtime_error("no WaitSet");
            });
        }
        ~receiver() {
            if (waiting_) { waiting_->detachState(*from_, iox::popo::SubscriberState::HAS_DATA); }
        }
        receiver(const receiver&) = delete;
        receiver& operator=(const receiver&) = delete;

        template <class Use>
        bool receive(Use&& use) {
            if (!spin_) { (void)waiting_->wait(); }
            bool received = false;
            from_->take().and_then([&](const void* chunk) {
                use(bytes{static_cast<const std::byte*>(chunk), size_});
                from_->release(chunk);
                received = true;
            });
            if (!received && shared_) { std::this_thread::yield(); }
            return received;
        }

      private:
        std::size_t size_;
        bool spin_;
        bool shared_;  // others want the core: who polls and finds nothing lets them have it
        std::optional<iox::popo::UntypedSubscriber> from_;
        std::optional<iox::popo::WaitSet<>> waiting_;
    };
};

}  // namespace

std::vector<cell> iceoryx_cells(const settings& how) {
    auto cells = all_cells<iceoryx_peer>(how);
    for (auto& one : cells) {
        one.prepare = start_roudi;
        one.clean_up = [] {
            stop_roudi();
            remove_sockets();
        };
    }
    return cells;
}

}  // namespace ringpipe::bench
