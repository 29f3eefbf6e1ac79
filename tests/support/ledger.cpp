#include "tests/support/ledger.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace ringpipe::test {
namespace {

// Discarded messages have numbers as well.
constexpr std::size_t sequences_per_id = 2;

std::byte expected_at(std::uint64_t id, std::size_t place) {
    return static_cast<std::byte>((id * 0x9e3779b97f4a7c15U >> 32U) + place * 31U + (place >> 8U));
}

std::uint64_t sum_of(const label& l) {
    return (l.id * 0x9e3779b97f4a7c15U) ^ (std::uint64_t{l.size} << 32U) ^
           (std::uint64_t{l.batch} << 16U) ^ l.place;
}

}  // namespace

ledger::ledger(std::size_t most_messages)
    : most_{most_messages},
      bytes_{4096 +
             most_ * (sizeof(promise) + sizeof(std::uint16_t) + groups * (1 + sequences_per_id)) +
             64} {
    memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) { throw std::bad_alloc{}; }
    // All of it is zero, and zero is what all of it begins with.
    auto* at = static_cast<std::byte*>(memory_);
    counters_ = new (at) counters{};
    at += 4096;
    batches_ = reinterpret_cast<std::atomic<std::uint16_t>*>(at);
    at += most_ * sizeof(std::uint16_t);
    promises_ = reinterpret_cast<std::atomic<promise>*>(at);
    at += most_;
    by_id_ = reinterpret_cast<flags*>(at);
    at += groups * most_;
    by_sequence_ = reinterpret_cast<flags*>(at);
}

ledger::~ledger() { ::munmap(memory_, bytes_); }

bool ledger::full() const { return counters_->next_id + 1000 > most_; }

std::uint64_t ledger::promise_some(std::uint16_t batch, promise what) {
    const auto first = counters_->next_id.fetch_add(batch);
    batches_[first] = batch;
    for (std::uint64_t id = first; id < first + batch; ++id) { promises_[id] = what; }
    return first;
}

void ledger::sent(std::uint64_t first, std::uint16_t batch) {
    for (std::uint64_t id = first; id < first + batch; ++id) { promises_[id] = promise::sent; }
    ++counters_->progress;
}

void ledger::write(std::span<std::byte> into, std::uint64_t id, std::uint16_t place,
                   std::uint16_t batch) {
    label l{id, static_cast<std::uint32_t>(into.size()), place, batch, 0};
    l.sum = sum_of(l);
    std::memcpy(into.data(), &l, sizeof l);
    for (std::size_t i = sizeof l; i < into.size(); ++i) { into[i] = expected_at(id, i); }
}

void ledger::delivered(std::size_t group, const message& m) {
    auto& count = *counters_;
    ++count.deliveries;
    ++count.progress;
    if (m.redelivered()) { ++count.redeliveries; }
    const bool is_empty = m.payload().empty();
    const auto before = by_sequence(group, m.sequence()).fetch_or(is_empty ? seen | empty : seen);
    if ((before & seen) != 0 && !m.redelivered()) { ++count.unmarked; }
    if ((before & done) != 0) { ++count.after_acknowledgement; }
    if (is_empty) { return; }
    label l{};
    bool right = m.payload().size() >= sizeof l;
    if (right) {
        std::memcpy(&l, m.payload().data(), sizeof l);
        right = l.sum == sum_of(l) && l.size == m.payload().size() && l.id < count.next_id;
    }
    for (std::size_t i = sizeof l; right && i < m.payload().size(); ++i) {
        right = m.payload()[i] == expected_at(l.id, i);
    }
    if (!right) {
        ++count.damaged;
        return;
    }
    by_id(group, l.id) = seen;
}

void ledger::acknowledged(std::size_t group, std::uint64_t sequence) {
    by_sequence(group, sequence).fetch_or(done);
}

ledger::flags& ledger::by_id(std::size_t group, std::uint64_t id) const {
    return by_id_[group * most_ + id];
}

ledger::flags& ledger::by_sequence(std::size_t group, std::uint64_t sequence) const {
    const auto each = most_ * sequences_per_id;
    return by_sequence_[group * each + (sequence < each ? sequence : each - 1)];
}

ledger::accounts ledger::settle() const {
    accounts sum;
    for (std::uint64_t first = 0; first < counters_->next_id;) {
        // An id whose producer died before it wrote anything down.
        const auto batch = std::max<std::uint16_t>(batches_[first], 1);
        const auto here = [&](std::size_t group) {
            std::uint64_t n = 0;
            for (std::uint64_t id = first; id < first + batch; ++id) {
                n += has(group, id) ? 1U : 0U;
            }
            return n;
        };
        const auto in_first_group = here(0);
        for (std::size_t group = 0; group < groups; ++group) {
            const auto n = here(group);
            if (n != 0 && n != batch) { ++sum.torn; }
            if ((n != 0) != (in_first_group != 0)) { ++sum.uneven; }
            switch (promises_[first].load()) {
                case promise::sent: sum.lost += batch - n; break;
                case promise::maybe: break;
                case promise::none:
                case promise::never: sum.invented += n;
            }
        }
        if (promises_[first] == promise::sent) { sum.sent += batch; }
        if (promises_[first] == promise::maybe) { sum.unsure += batch; }
        first += batch;
    }
    for (std::size_t group = 0; group < groups; ++group) {
        std::uint64_t empties = 0;
        for (std::uint64_t i = 0; i < counters_->next_id * sequences_per_id; ++i) {
            empties += (by_sequence(group, i) & empty) != 0 ? 1U : 0U;
        }
        if (empties < counters_->empties_sent) { sum.lost += counters_->empties_sent - empties; }
        if (empties > counters_->empties_tried) {
            sum.invented += empties - counters_->empties_tried;
        }
    }
    sum.sent += counters_->empties_sent;
    sum.unsure += counters_->empties_tried - counters_->empties_sent;
    return sum;
}

}  // namespace ringpipe::test
