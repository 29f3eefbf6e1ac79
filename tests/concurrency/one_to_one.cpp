// One producer thread and one consumer thread, in the smallest of rings, so that it wraps and is
// full or empty all the time. With one mapping for both (TSan sees each access) and with two (as
// processes have them).
#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "tests/support/ring_fixture.hpp"

using namespace ringpipe;
using namespace ringpipe::test;

namespace {

// Sizes from 0 to 600, in no order.
std::string numbered(std::uint64_t number) { return pattern(number * 7919 % 601, number); }

// Receives `count` numbered messages; what is wrong with the first wrong one, or nothing.
std::string receive_numbered(const ring& from, const consumer_options& options,
                             std::uint64_t count) {
    consumer in{from, options};
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto message = in.receive_for(patience);
        if (!message) { return "no message " + std::to_string(i); }
        if (message.sequence() != i) { return "out of order at " + std::to_string(i); }
        if (message.redelivered()) { return "redelivered " + std::to_string(i); }
        if (message.text() != numbered(i)) { return "damaged " + std::to_string(i); }
        in.acknowledge(message);
    }
    return in.receive_for(patience).status() == receive_status::end ? "" : "no end";
}

void run_one_to_one(const ring& sending, const ring& receiving, wait_strategy wait,
                    const std::function<void(producer&, std::uint64_t)>& send_numbered) {
    constexpr std::uint64_t count = 4000;
    producer_options as_producer;
    as_producer.wait = wait;
    producer out{sending, as_producer};
    std::string wrong = "never ran";
    std::thread reader{[&] {
        consumer_options options;
        options.wait = wait;
        try {
            wrong = receive_numbered(receiving, options, count);
        } catch (const std::exception& e) { wrong = e.what(); }
    }};
    for (std::uint64_t i = 0; i < count; ++i) { send_numbered(out, i); }
    out.close();
    reader.join();
    CHECK(wrong == "");
}

}  // namespace

TEST_CASE("one to one: every message arrives whole and in order through a tiny ring") {
    const auto send = [](producer& out, std::uint64_t i) {
        (void)out.send_for(bytes(numbered(i)), patience);
    };
    for (const auto wait : {wait_strategy::adaptive, wait_strategy::block, wait_strategy::spin}) {
        CAPTURE(static_cast<int>(wait));
        const a_ring shared;
        run_one_to_one(shared.ring, shared.ring, wait, send);
        const a_ring mapped_twice;
        run_one_to_one(mapped_twice.ring, ring::open(mapped_twice.name), wait, send);
    }
}

TEST_CASE("one to one: loans arrive as sends do") {
    const a_ring sut;
    ring receiving = sut.ring;
    SUBCASE("one mapping") {}
    SUBCASE("two mappings") { receiving = ring::open(sut.name); }
    run_one_to_one(sut.ring, receiving, wait_strategy::adaptive,
                   [](producer& out, std::uint64_t i) {
                       const auto text = numbered(i);
                       auto lent = out.lend_for(text.size() + i % 50, patience);
                       if (!lent) { return; }
                       std::ranges::copy(bytes(text), lent.payload().begin());
                       lent.commit(text.size());
                   });
}

TEST_CASE("one to one: messages larger than what is copied under the lock arrive whole") {
    const a_ring sut{small(32768)};
    producer out{sut.ring};
    std::atomic<int> good{0};
    std::thread reader{[&] {
        consumer in{sut.ring};
        while (const auto message = in.receive_for(patience)) {
            if (message.text() == pattern(message.payload().size(), message.sequence())) { ++good; }
            in.acknowledge(message);
        }
    }};
    constexpr int count = 300;
    for (int i = 0; i < count; ++i) {
        const auto text =
            pattern(static_cast<std::size_t>(4000 + i * 97 % 20000), static_cast<std::uint64_t>(i));
        CHECK(out.send_for(bytes(text), patience));
    }
    out.close();
    reader.join();
    CHECK(good == count);
}

TEST_CASE("one to one: batches and batched receiving keep the order") {
    const a_ring sut;
    producer out{sut.ring};
    std::uint64_t next = 0;
    bool in_order = true;
    std::thread reader{[&] {
        consumer in{sut.ring};
        std::vector<message> got;
        while (in.receive_batch(got, 1 + next % 20, after(patience)) == receive_status::message) {
            for (const auto& message : got) {
                in_order = in_order && message.sequence() == next &&
                           message.text() == pattern(next % 40, next);
                ++next;
            }
            in.acknowledge();
        }
    }};
    std::uint64_t sent = 0;
    for (int round = 0; round < 1000; ++round) {
        std::vector<std::string> batch;
        for (int i = 0; i <= round % 7; ++i, ++sent) { batch.push_back(pattern(sent % 40, sent)); }
        std::vector<std::span<const std::byte>> spans;
        for (const auto& each : batch) { spans.push_back(bytes(each)); }
        REQUIRE(out.send_batch_for(spans, patience));
    }
    out.close();
    reader.join();
    CHECK(in_order);
    CHECK(next == sent);
}

TEST_CASE("one to one: a conversation over two rings never stalls") {
    const a_ring there;
    const a_ring back;
    constexpr int rounds = 1000;
    producer ask{there.ring};
    std::thread answerer{[&] {
        consumer in{there.ring};
        producer answer{back.ring};
        while (const auto question = in.receive_for(patience)) {
            if (!answer.send_for(question.payload(), patience)) { return; }
            in.acknowledge(question);
        }
    }};
    consumer hear{back.ring};
    int answered = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto text = std::to_string(i);
        if (!ask.send_for(bytes(text), patience)) { break; }
        const auto heard = hear.receive_for(patience);
        if (heard.text() != text) { break; }
        hear.acknowledge(heard);
        ++answered;
    }
    ask.close();
    answerer.join();
    CHECK(answered == rounds);
    CHECK(status_after_last(hear) == receive_status::end);
}
