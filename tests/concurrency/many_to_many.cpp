// Several producers and several consumers: nothing lost, nothing twice, batches whole.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// "producer number filling": says where it comes from and whether it is whole.
std::string message_of(int who, int number) {
    return std::to_string(who) + " " + std::to_string(number) + " " +
           pattern(static_cast<std::size_t>(number * 31 % 200), static_cast<std::uint64_t>(number));
}

struct origin {
    int producer = -1;
    int number = -1;
    auto operator<=>(const origin&) const = default;
};

std::optional<origin> origin_of(std::string_view text) {
    origin from;
    if (std::sscanf(std::string{text}.c_str(), "%d %d", &from.producer, &from.number) != 2) {
        return std::nullopt;
    }
    if (text != message_of(from.producer, from.number)) { return std::nullopt; }
    return from;
}

// What the consumers of one group saw, together.
class ledger {
  public:
    void enter(std::string_view text) {
        const std::lock_guard hold{guard_};
        const auto from = origin_of(text);
        if (!from) {
            ++damaged;
        } else if (!seen_.insert(*from).second) {
            ++twice;
        }
    }
    [[nodiscard]] std::size_t distinct() const { return seen_.size(); }

    int damaged = 0;
    int twice = 0;

  private:
    std::mutex guard_;
    std::set<origin> seen_;
};

constexpr int per_producer = 1500;

void produce(const ring& to, int who, const std::atomic<bool>& start) {
    producer out{to};
    while (!start) { std::this_thread::yield(); }
    for (int i = 0; i < per_producer; ++i) {
        if (!out.send_for(bytes(message_of(who, i)), patience)) { return; }
    }
}

// Reads to the end. True if each producer's messages came in their order.
bool consume(const ring& from, const std::string& group, ledger& into, int most = -1) {
    consumer_options options;
    options.group = group;
    options.prefetch = 16;
    consumer in{from, options};
    std::map<int, int> last;
    bool in_order = true;
    while (most-- != 0) {
        const auto message = in.receive_for(patience);
        if (!message) { break; }
        if (const auto origin = origin_of(message.text()); origin && !message.redelivered()) {
            const auto before = last.contains(origin->producer) ? last[origin->producer] : -1;
            in_order = in_order && before < origin->number;
            last[origin->producer] = origin->number;
        }
        into.enter(message.text());
        in.acknowledge(message);
    }
    return in_order;
}

}  // namespace

TEST_CASE(
    "many to many: each message goes to one consumer of a group and in each consumer's order") {
    const a_ring sut;
    bool own_mappings = false;
    SUBCASE("one mapping") {}
    SUBCASE("own mappings") { own_mappings = true; }
    const auto mapping = [&] { return own_mappings ? ring::open(sut.name) : sut.ring; };
    ledger seen;
    std::atomic<bool> start{false};
    std::atomic<int> in_order{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] { in_order += consume(mapping(), "g", seen) ? 1 : 0; });
    }
    for (int who = 0; who < 3; ++who) {
        threads.emplace_back([&, who] { produce(mapping(), who, start); });
    }
    // All are attached before the first is sent: none ends the stream before the others began.
    CHECK(eventually([&] { return sut.ring.status().producers == 3; }));
    start = true;
    for (auto& thread : threads) { thread.join(); }
    CHECK(seen.distinct() == 3 * per_producer);
    CHECK(seen.damaged == 0);
    CHECK(seen.twice == 0);
    CHECK(in_order == 2);
}

TEST_CASE("many to many: each of several groups gets all of it") {
    const a_ring sut;
    ledger seen[2];
    const std::string groups[] = {"first", "second"};
    for (const auto& group : groups) { sut.ring.add_group(group); }
    std::atomic<bool> start{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] { (void)consume(sut.ring, groups[i % 2], seen[i % 2]); });
    }
    for (int who = 0; who < 2; ++who) {
        threads.emplace_back([&, who] { produce(sut.ring, who, start); });
    }
    CHECK(eventually([&] { return sut.ring.status().producers == 2; }));
    start = true;
    for (auto& thread : threads) { thread.join(); }
    for (const auto& each : seen) {
        CHECK(each.distinct() == 2 * per_producer);
        CHECK(each.damaged == 0);
        CHECK(each.twice == 0);
    }
}

TEST_CASE("many to many: consumers that come and go lose nothing and see nothing twice") {
    const a_ring sut;
    ledger seen;
    std::atomic<bool> start{true};
    std::atomic<bool> done{false};
    producer keeps_open{sut.ring};
    std::vector<std::thread> threads;
    threads.emplace_back([&] { (void)consume(sut.ring, "g", seen); });
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            // Leaves with messages in its lease, time and again.
            while (!done) {
                try {
                    (void)consume(sut.ring, "g", seen, 5);
                } catch (const error& e) {
                    if (e.which() != errc::members_full) { throw; }
                }
            }
        });
    }
    for (int who = 0; who < 2; ++who) { produce(sut.ring, who, start); }
    done = true;
    keeps_open.close();
    for (auto& thread : threads) { thread.join(); }
    CHECK(seen.distinct() == 2 * per_producer);
    CHECK(seen.damaged == 0);
    CHECK(seen.twice == 0);
}

TEST_CASE("many to many: a batch is whole among the messages and batches of others") {
    const a_ring sut;
    constexpr int batches = 400;
    constexpr int senders = 3;
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int who = 0; who < senders; ++who) {
        threads.emplace_back([&, who] {
            producer out{sut.ring};
            for (++ready; ready < senders;) { std::this_thread::yield(); }
            for (int number = 0; number < batches; ++number) {
                const auto size = 1 + (number + who) % 6;
                std::vector<std::string> texts;
                for (int i = 0; i < size; ++i) {
                    texts.push_back(std::to_string(who) + " " + std::to_string(number) + " " +
                                    std::to_string(i) + " " + std::to_string(size) + " ");
                }
                std::vector<std::span<const std::byte>> spans;
                for (const auto& text : texts) { spans.push_back(bytes(text)); }
                if (!out.send_batch_for(spans, patience)) { return; }
            }
        });
    }
    consumer in{sut.ring};
    int whole = 0;
    int broken = 0;
    int expected = 0;  // place in the batch
    int of_whom = -1;
    while (const auto message = in.receive_for(patience)) {
        int who = 0;
        int number = 0;
        int place = 0;
        int size = 0;
        if (std::sscanf(std::string{message.text()}.c_str(), "%d %d %d %d", &who, &number, &place,
                        &size) != 4 ||
            place != expected || (place != 0 && who != of_whom)) {
            ++broken;
        }
        of_whom = who;
        expected = place + 1 == size ? 0 : place + 1;
        if (expected == 0) { ++whole; }
        in.acknowledge(message);
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(whole == senders * batches);
    CHECK(broken == 0);
}

TEST_CASE("many to many: loans that are committed and discarded and cut short by several at once") {
    const a_ring sut;
    constexpr int count = 1200;
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int who = 0; who < 2; ++who) {
        threads.emplace_back([&, who] {
            producer out{sut.ring};
            for (++ready; ready < 2;) { std::this_thread::yield(); }
            for (int i = 0; i < count; ++i) {
                const auto text = message_of(who, i);
                auto lent = out.lend_for(text.size() + 40, patience);
                if (!lent) { return; }
                std::ranges::copy(bytes(text), lent.payload().begin());
                if (i % 3 == 0) {
                    lent.discard();
                } else {
                    lent.commit(text.size());
                }
            }
        });
    }
    ledger seen;
    (void)consume(sut.ring, "g", seen);
    for (auto& thread : threads) { thread.join(); }
    CHECK(seen.distinct() == 2 * count * 2 / 3);
    CHECK(seen.damaged == 0);
    CHECK(seen.twice == 0);
}
