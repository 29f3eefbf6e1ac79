// Who was promised what, kept where no death of a test's process reaches it: memory that all share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "shm/message.hpp"

namespace ringpipe::test {

// What a message says about itself; behind it come `size - sizeof` bytes of pattern.
struct label {
    std::uint64_t id;
    std::uint32_t size;
    std::uint16_t place;  // in its batch
    std::uint16_t batch;  // messages in it; 1: none
    std::uint64_t sum;    // of all that
};

// One producer's promise about one id.
enum class promise : std::uint8_t { none, maybe, sent, never };

class ledger {
  public:
    static constexpr std::size_t groups = 3;  // whose messages are accounted for

    explicit ledger(std::size_t most_messages);
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;
    ~ledger();

    // Shared by all processes.
    struct counters {
        std::atomic<std::uint64_t> next_id;
        std::atomic<std::uint64_t> empties_tried, empties_sent;  // they have no room for an id
        std::atomic<std::uint64_t> deliveries, redeliveries, damaged, unmarked,
            after_acknowledgement, disorder;
        std::atomic<std::uint64_t> progress;  // anything at all
        std::atomic<std::uint32_t> stop;      // producers: leave
    };
    [[nodiscard]] counters& count() const { return *counters_; }

    // Producers. Ids of a batch are one behind the other. Nothing if the ledger is full.
    [[nodiscard]] bool full() const;
    [[nodiscard]] std::uint64_t promise_some(std::uint16_t batch, promise what = promise::maybe);
    void sent(std::uint64_t first, std::uint16_t batch);

    // Fills a message of at least a label's size.
    static void write(std::span<std::byte> into, std::uint64_t id, std::uint16_t place,
                      std::uint16_t batch);

    // Consumers. Before the acknowledgement, and after it.
    void delivered(std::size_t group, const message& m);
    void acknowledged(std::size_t group, std::uint64_t sequence);

    struct accounts {
        std::uint64_t sent = 0;
        std::uint64_t unsure = 0;    // its producer died before the send returned
        std::uint64_t lost = 0;      // sent, and a group did not get it
        std::uint64_t torn = 0;      // batches of which a group got a part
        std::uint64_t invented = 0;  // never sent, or discarded
        std::uint64_t uneven = 0;    // one group got it and another did not
    };
    // When all is over.
    [[nodiscard]] accounts settle() const;

  private:
    using flags = std::atomic<std::uint8_t>;
    static constexpr std::uint8_t seen = 1;
    static constexpr std::uint8_t done = 2;
    static constexpr std::uint8_t empty = 4;

    [[nodiscard]] bool has(std::size_t group, std::uint64_t id) const {
        return by_id(group, id).load() != 0;
    }
    [[nodiscard]] flags& by_id(std::size_t group, std::uint64_t id) const;
    [[nodiscard]] flags& by_sequence(std::size_t group, std::uint64_t sequence) const;

    std::size_t most_;
    std::size_t bytes_;
    void* memory_;
    counters* counters_;
    std::atomic<promise>* promises_;
    std::atomic<std::uint16_t>* batches_;  // of the first of a batch: how many
    flags* by_id_;
    flags* by_sequence_;
};

}  // namespace ringpipe::test
