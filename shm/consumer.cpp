#include "shm/consumer.hpp"

#include <utility>

#include "common/error.hpp"
#include "shm/claim_end.hpp"

namespace ringpipe {

consumer::consumer(const ring& from, const consumer_options& options)
    : end_{std::make_unique<claim_end>(from, options, *this)} {}

consumer::consumer(consumer&& other) noexcept { *this = std::move(other); }

consumer& consumer::operator=(consumer&& other) noexcept {
    if (this == &other) { return *this; }
    close();
    view_ = other.view_;
    // A moved-from consumer has nothing at hand: its fast path finds an empty lease.
    cursor_ = std::exchange(other.cursor_, 0);
    lease_end_ = std::exchange(other.lease_end_, 0);
    acknowledged_ = std::exchange(other.acknowledged_, 0);
    attempt_ = other.attempt_;
    attempt_behind_ = other.attempt_behind_;
    redelivered_ = other.redelivered_;
    lease_begin_ = other.lease_begin_;
    room_ = other.room_;
    end_ = std::move(other.end_);
    return *this;
}

consumer::~consumer() { close(); }

void consumer::close() noexcept {
    if (!end_) { return; }
    // Others may have had all of an adopted lease: nothing of it goes back as never claimed.
    end_->leave(redelivered_ ? lease_end_ : cursor_);
    end_.reset();
    cursor_ = lease_end_ = acknowledged_ = 0;
}

void consumer::claim_and_receive(message& received, deadline until) {
    received.status_ = opened().claim_and_receive(*this, received, until);
}

receive_status consumer::receive_batch(std::vector<message>& into, std::size_t most,
                                       deadline until) {
    into.clear();
    if (most == 0) { return receive_status::timed_out; }
    auto next = receive_until(until);
    if (!next) { return next.status(); }
    do { into.push_back(next); } while (into.size() != most && next_in_lease(next));
    return receive_status::message;
}

bool consumer::truncated() const { return opened().truncated(); }

void consumer::reject(const message& returned, std::chrono::nanoseconds delay) {
    (void)opened().reject_until(*this, returned, delay, never);
}

std::uint32_t consumer::count_attempt(const message& again) {
    return opened().count_attempt(*this, again);
}

bool consumer::bury(const message& dead, std::string_view why) {
    return opened().bury(*this, dead, opened().attempts_of(dead), why);
}

std::uint64_t consumer::buried() const { return opened().buried(); }

claim_end& consumer::opened() const {
    if (!end_) {
        throw error{errc::closed, "cannot use this consumer: it was closed; make a new one"};
    }
    return *end_;
}

void consumer::release_for_waiting_producers() {
    end_->release_until(after(end_->liveness_interval()));
}

receive_status consumer::lease_until(deadline until) {
    if (at_hand()) { return receive_status::message; }
    message first;
    claim_and_receive(first, until);
    if (first) {
        // As if it had not been received.
        cursor_ = first.position();
        attempt_ = first.attempt();
    }
    return first.status();
}

bool consumer::try_reject(const message& returned, std::chrono::nanoseconds delay) {
    return opened().reject_until(*this, returned, delay, deadline::min());
}

void consumer::try_release() { opened().release_until(deadline::min()); }

wait_point consumer::announce_wait() { return opened().announce_wait(); }

void consumer::stop_waiting() { opened().pass_on_wake(); }

bool consumer::ending() const { return opened().ending(); }

bool consumer::can_lease() const { return opened().can_lease(); }

}  // namespace ringpipe
