#include "producer/outlet.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include "common/shutdown.hpp"

namespace ringpipe::producer_program {
namespace {

using namespace std::chrono_literals;

// How long a signal may go unnoticed.
constexpr auto tick = 100ms;

// A batch beyond this gains nothing, and is for that time more than a cache holds.
constexpr std::uint64_t most_bytes_in_batch = std::uint64_t{128} << 10U;

producer join(const ring& to, const options& with) {
    for (const auto& group : with.groups) { to.add_group(group); }
    producer_options endpoint;
    endpoint.name = program_name;
    endpoint.wait = with.wait;
    endpoint.resume = with.resume;
    return producer{to, endpoint};
}

}  // namespace

outlet::outlet(const options& with, progress_meter& meter)
    : ring_{with.ring, with.creation},
      producer_{join(*ring_, with)},
      resumes_{!with.resume.empty()},
      meter_{meter},
      left_{with.count.value_or(std::numeric_limits<std::uint64_t>::max())} {
    if (with.rate) { pacer_.emplace(*with.rate); }
    limit_ = next_limit();
}

outlet::limit outlet::next_limit() const {
    // All of a batch must fit at once: an eighth of the ring leaves the consumers something to do.
    std::uint64_t messages = std::min<std::uint64_t>(most_in_batch, left_);
    std::uint64_t bytes = std::min(ring_->capacity() / 8, most_bytes_in_batch);
    if (pacer_) {
        auto& limited = pacer_->unit() == rate::unit::messages ? messages : bytes;
        limited = std::min(limited, pacer_->burst());
    }
    return {messages, bytes};
}

std::size_t outlet::payload_bytes() const { return bytes_ - size_ * most_overhead; }

// Tries until it is done, or a stop is requested.
template <class Attempt>
bool outlet::until_done(Attempt attempt) {
    auto until = deadline::min();  // at first, do not even look at the clock
    while (!attempt(until)) {
        meter_.look();
        if (stop_requested()) { return false; }
        until = after(tick);
    }
    return true;
}

bool outlet::flush() {
    if (stop_requested()) { return false; }
    if (size_ > 0) {
        wait_until_due();
        const producer::batch batch{batch_.data(), size_};
        const std::span<const std::uint64_t> ids{ids_.data(), size_};
        const bool sent = until_done([&](deadline until) {
            if (resumes_) { return producer_.send_batch_until(batch, ids, until); }
            return size_ == 1 ? producer_.send_until(batch.front(), until)
                              : producer_.send_batch_until(batch, until);
        });
        if (!sent) { return false; }
        account(size_, payload_bytes());
        size_ = 0;
        bytes_ = 0;
    }
    limit_ = next_limit();
    return left_ > 0;
}

loan outlet::lend(std::size_t size) {
    loan result;
    if (!flush()) { return result; }
    wait_until_due();
    (void)until_done([&](deadline until) {
        result = producer_.lend_until(size, until);
        return static_cast<bool>(result);
    });
    return result;
}

void outlet::send(loan& large, std::size_t size) {
    large.commit(size);
    account(1, size);
}

void outlet::wait_until_due() {
    if (!pacer_) { return; }
    while (!stop_requested()) {
        const auto left = pacer_->due() - clock::now();
        if (left <= 0ns) { return; }
        meter_.look();
        std::this_thread::sleep_for(std::min<clock::duration>(left, tick));
    }
}

void outlet::account(std::uint64_t messages, std::uint64_t bytes) {
    ring_.keep();
    left_ -= messages;
    if (pacer_) { pacer_->sent(messages, bytes); }
    meter_.add(messages, bytes);
}

}  // namespace ringpipe::producer_program
