#include "tests/crash/storm_members.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "shm/consumer.hpp"
#include "shm/producer.hpp"
#include "shm/ring.hpp"

namespace ringpipe::test {
namespace {

using namespace std::chrono_literals;

// Who waits longer for room is as good as stuck.
constexpr auto long_enough = 20s;

class dice {
  public:
    explicit dice(std::uint64_t seed) : random_{seed} {}
    // 0 to sides - 1.
    std::uint64_t operator()(std::uint64_t sides) { return random_() % sides; }
    bool one_in(std::uint64_t sides) { return random_() % sides == 0; }

  private:
    std::mt19937_64 random_;
};

void nap(std::uint64_t microseconds) {
    std::this_thread::sleep_for(std::chrono::microseconds{microseconds});
}

std::size_t some_size(dice& roll, std::size_t largest) {
    const auto above = sizeof(label);
    if (roll.one_in(50)) { return above + roll(largest - above); }
    return above + roll(roll.one_in(8) ? 1500 : 150);
}

void check(bool there_was_room) {
    if (!there_was_room) { throw std::runtime_error{"waited in vain for room"}; }
}

void send_empty(producer& out, ledger& book) {
    ++book.count().empties_tried;
    check(out.send_for({}, long_enough));
    ++book.count().empties_sent;
    ++book.count().progress;
}

void send_one(producer& out, ledger& book, dice& roll, std::size_t largest) {
    std::vector<std::byte> text(some_size(roll, largest));
    const auto id = book.promise_some(1);
    ledger::write(text, id, 0, 1);
    check(out.send_for(text, long_enough));
    book.sent(id, 1);
}

void send_batch(producer& out, ledger& book, dice& roll) {
    const auto count = static_cast<std::uint16_t>(2 + roll(7));
    const auto first = book.promise_some(count);
    std::vector<std::vector<std::byte>> texts;
    std::vector<std::span<const std::byte>> spans;
    for (std::uint16_t i = 0; i < count; ++i) {
        texts.emplace_back(some_size(roll, 1000));
        ledger::write(texts.back(), first + i, i, count);
    }
    spans.assign(texts.begin(), texts.end());
    check(out.send_batch_for(spans, long_enough));
    book.sent(first, count);
}

void send_loan(producer& out, ledger& book, dice& roll, std::size_t largest) {
    const auto size = some_size(roll, largest);
    const bool keep = !roll.one_in(4);
    auto space = out.lend_for(size + roll(100), long_enough);
    check(static_cast<bool>(space));
    const auto id = book.promise_some(1, keep ? promise::maybe : promise::never);
    ledger::write(space.payload().first(size), id, 0, 1);
    if (roll.one_in(20)) { nap(roll(500)); }
    if (!keep) { return; }  // discards itself
    space.commit(size);
    book.sent(id, 1);
}

// In-order: the first deliveries of one consumer.
class order {
  public:
    void check(const message& m, ledger& book) {
        if (m.redelivered()) { return; }
        if (any_ && m.sequence() <= last_) { ++book.count().disorder; }
        any_ = true;
        last_ = m.sequence();
    }

  private:
    bool any_ = false;
    std::uint64_t last_ = 0;
};

class receiver {
  public:
    receiver(consumer& in, ledger& book, std::size_t group, dice& roll)
        : in_{in}, book_{book}, group_{group}, roll_{roll} {}

    // Something came that another one had, and that may be had by a third if we leave now.
    [[nodiscard]] bool has_adopted() { return std::exchange(adopted_, false); }

    // One of several ways. What came last: a message, or why there is none.
    receive_status some() {
        switch (roll_(3)) {
            case 0: return one_by_one();
            case 1: return in_batches();
            default: return late();
        }
    }

  private:
    receive_status one_by_one() {
        const auto m = in_.receive_for(50ms);
        if (!m) { return m.status(); }
        note(m);
        if (roll_.one_in(300)) {
            in_.reject(m, std::chrono::microseconds{roll_(2) * roll_(3000)});
            return m.status();
        }
        in_.acknowledge(m);
        book_.acknowledged(group_, m.sequence());
        return m.status();
    }

    receive_status in_batches() {
        const auto status = in_.receive_batch(several_, 1 + roll_(20), after(50ms));
        for (const auto& m : several_) { note(m); }
        settle();
        return status;
    }

    // Acknowledges only when it must.
    receive_status late() {
        auto m = in_.receive_for(50ms);
        const auto status = m.status();
        several_.clear();
        while (m) {
            note(m);
            several_.push_back(m);
            if (!in_.at_hand()) { break; }
            m = in_.try_receive();
        }
        settle();
        return status;
    }

    void note(const message& m) {
        adopted_ = adopted_ || m.redelivered();
        order_.check(m, book_);
        book_.delivered(group_, m);
    }

    void settle() {
        if (several_.empty()) { return; }
        if (roll_.one_in(20)) { nap(roll_(3000)); }  // works, and has much in its hands
        // Not always all of it.
        const auto upto = roll_.one_in(3) ? roll_(several_.size()) : several_.size() - 1;
        in_.acknowledge(several_[upto]);
        for (std::size_t i = 0; i <= upto; ++i) {
            book_.acknowledged(group_, several_[i].sequence());
        }
        if (upto + 1 != several_.size()) {
            if (roll_.one_in(10)) { nap(roll_(300)); }
            in_.acknowledge();
            for (const auto& m : several_) { book_.acknowledged(group_, m.sequence()); }
        }
    }

    consumer& in_;
    ledger& book_;
    std::size_t group_;
    dice& roll_;
    order order_;
    std::vector<message> several_;
    bool adopted_ = false;
};

consumer_options options_of(const std::string& group, group_kind kind, dice& roll) {
    consumer_options options;
    options.group = group;
    options.kind = kind;
    options.max_attempts = 0;
    constexpr std::array<std::uint32_t, 4> prefetches{1, 8, 64, 4096};
    options.prefetch = prefetches[roll(prefetches.size())];
    options.wait = roll.one_in(2) ? wait_strategy::block : wait_strategy::adaptive;
    return options;
}

}  // namespace

int storm_producer(const std::string& name, ledger& book, std::uint64_t seed) {
    dice roll{seed};
    const auto ring = ring::open(name);
    const auto largest = ring.capacity() / 4;
    for (;;) {
        producer out{ring};
        for (auto left = 1 + roll(2000); left > 0; --left) {
            if (book.count().stop != 0) { return 0; }
            if (book.full()) {
                nap(1000);
                continue;
            }
            switch (roll(8)) {
                case 0: send_empty(out, book); break;
                case 1: send_batch(out, book, roll); break;
                case 2: send_loan(out, book, roll, largest); break;
                default: send_one(out, book, roll, largest);
            }
            if (roll.one_in(100)) { nap(roll(2000)); }
        }
        if (roll.one_in(10)) { out.abandon(); }
    }
}

int storm_consumer(const std::string& name, ledger& book, std::size_t group, std::uint64_t seed) {
    dice roll{seed};
    const auto ring = ring::open(name);
    const bool slow = storm_groups[group] == std::string{"slow"};
    for (;;) {
        consumer in{ring, options_of(storm_groups[group], group_kind::durable, roll)};
        receiver from{in, book, group, roll};
        for (auto left = 1 + roll(1000); left > 0; --left) {
            const bool stop = book.count().stop != 0;
            const auto status = from.some();
            const bool end = status == receive_status::end || status == receive_status::truncated;
            if (end && stop) { return 0; }
            if (end) { nap(500); }  // all producers are dead just now
            if (from.has_adopted() && roll.one_in(2)) { break; }
            if (slow && roll.one_in(20)) { nap(roll(500)); }
        }
        // What it has not received it hands back.
    }
}

int storm_passer_by(const std::string& name, ledger& book, std::uint64_t seed) {
    dice roll{seed};
    const auto ring = ring::open(name);
    while (book.count().stop == 0) {
        consumer in{ring, options_of("passing", group_kind::ephemeral, roll)};
        for (auto left = roll(200); left > 0 && book.count().stop == 0; --left) {
            if (const auto m = in.receive_for(10ms)) { in.acknowledge(m); }
        }
        in.close();
        nap(roll(5000));
    }
    return 0;
}

}  // namespace ringpipe::test
