#include "async/producer_state.hpp"

#include <boost/asio/error.hpp>

#include "common/error.hpp"
#include "shm/segment.hpp"

namespace ringpipe {

std::uint64_t sending::space() const {
    if (const auto* one = std::get_if<payload>(&what)) { return producer::space_for(one->size()); }
    if (const auto* wanted = std::get_if<room>(&what)) { return producer::space_for(wanted->size); }
    std::uint64_t sum = 0;
    for (const auto& each : std::get<std::vector<payload>>(what)) {
        sum += producer::space_for(each.size());
    }
    return sum;
}

producer_state::producer_state(asio::any_io_executor io, const ring& to,
                               const producer_options& options)
    : end_state{std::move(io)},
      mapped_{to.shared()},
      out_{std::in_place, to, options},
      interval_{to.shared()->liveness_interval()} {}

producer_state::at_once_result producer_state::try_now(const sending& what) {
    if (forked()) { return {true, refusal(true)}; }
    const std::lock_guard hold{guard_};
    if (closed_) { return {true, refusal(false)}; }
    // Those who came before us are served before us.
    if (busy_ || !waiting_.empty()) { return {}; }
    try {
        return {attempt(what, at_once), {}};
    } catch (...) { return {true, code_of_current_exception()}; }
}

bool producer_state::attempt(const sending& what, deadline until) {
    if (const auto* one = std::get_if<sending::payload>(&what.what)) {
        return out_->send_until(*one, until);
    }
    if (const auto* many = std::get_if<std::vector<sending::payload>>(&what.what)) {
        return out_->send_batch_until(*many, until);
    }
    return out_->has_room_until(what.space(), until);
}

// On the watcher's thread. In order: the first is served, or nobody.
std::optional<watched::rest> producer_state::look() {
    std::unique_lock hold{guard_};
    armed_ = false;
    for (int round = 0; round < 64 && !closed_; ++round) {
        if (waiting_.empty()) {
            out_->stop_waiting();
            return {};
        }
        std::optional<wait_point> point;
        if (!attempt_first(hold, point) && point) { return rest{point, clock::now() + interval_}; }
    }
    if (closed_) { return {}; }
    return rest{{}, deadline::min()};  // others have their turn
}

// True: it was served. Else `point` says what to sleep on, or nothing: try again.
bool producer_state::attempt_first(std::unique_lock<std::mutex>& hold,
                                   std::optional<wait_point>& point) {
    const auto first = waiting_.begin();
    auto& op = static_cast<send_operation&>(*first->second);
    // Its bytes are read with the lock dropped: a cancellation comes too late, or has to wait.
    op.in_flight = true;
    busy_ = true;
    hold.unlock();
    bool done = false;
    error_code code;
    try {
        done = attempt(op.what, deadline::min());
        if (!done) { point = out_->announce_wait(op.what.space()); }
    } catch (...) {
        done = true;
        code = code_of_current_exception();
    }
    hold.lock();
    busy_ = false;
    op.in_flight = false;
    not_busy_.notify_all();
    if (!done && op.cancelled) {
        done = true;
        code = asio::error::operation_aborted;
    }
    if (done) {
        op.complete(code);
        waiting_.erase(first);
    }
    return done;
}

void producer_state::abandon() {
    if (!forked()) {
        const std::lock_guard hold{guard_};
        abandoned_ = true;
    }
    close();
}

void producer_state::close_end() noexcept {
    if (out_ && abandoned_) { out_->abandon(); }
    out_.reset();
}

}  // namespace ringpipe
