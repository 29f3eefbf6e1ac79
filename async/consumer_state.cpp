#include "async/consumer_state.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "shm/segment.hpp"

namespace ringpipe {
namespace {

using fate = finished_prefix::fate;

constexpr std::chrono::milliseconds after_contention{2};

receiving& wish_of(operation& op) { return dynamic_cast<receiving&>(op); }

}  // namespace

consumer_state::consumer_state(asio::any_io_executor io, const ring& from,
                               const consumer_options& options)
    : end_state{std::move(io)},
      mapped_{from.shared()},
      in_{std::in_place, from, options},
      interval_{from.shared()->liveness_interval()} {}

std::shared_ptr<consumer_state> consumer_state::self() {
    return std::static_pointer_cast<consumer_state>(shared_from_this());
}

template <class Take>
consumer_state::at_once_result consumer_state::try_now(Take take) {
    if (forked()) { return {true, false, refusal(true)}; }
    const std::lock_guard hold{guard_};
    if (closed_) { return {true, false, refusal(false)}; }
    // Those who came before us are served before us.
    if (busy_ || messages_wanted()) { return {false, false, {}}; }
    try {
        if (lease_at_once()) {
            take();
            return {true, false, {}};
        }
        return {false, in_->can_lease() || in_->ending(), {}};
    } catch (...) { return {true, false, code_of_current_exception()}; }
}

consumer_state::at_once_result consumer_state::try_message(async_message& into) {
    return try_now([&] { into = take_message(); });
}

consumer_state::at_once_result consumer_state::try_batch(async_batch& into, std::size_t most) {
    return try_now([&] { into = take_batch(most); });
}

consumer_state::at_once_result consumer_state::try_readable() {
    return try_now([] {});
}

bool consumer_state::lease_at_once() {
    if (in_->at_hand()) { return true; }
    if (needs_acknowledge_) { return false; }
    try {
        return in_->lease_until(at_once) == receive_status::message;
    } catch (const error& failed) {
        if (failed.which() != errc::unacknowledged) { throw; }
        needs_acknowledge_ = true;
        return false;
    }
}

async_message consumer_state::take_message() {
    const auto one = in_->try_receive();
    return {one, receipt{self(), finished_.add(one.end())}};
}

async_batch consumer_state::take_batch(std::size_t most) {
    std::vector<message> messages;
    messages.reserve(std::min<std::size_t>(most, 64));
    while (messages.size() < most && in_->at_hand()) { messages.push_back(in_->try_receive()); }
    const auto end = messages.back().end();
    return {std::move(messages), receipt{self(), finished_.add(end)}};
}

void consumer_state::settle(std::uint64_t ticket, fate how, std::vector<message> given_back) {
    if (forked()) { return; }
    const std::lock_guard hold{guard_};
    if (closed_) { return; }  // handed back when we left
    finished_.finish(ticket, how, std::move(given_back));
    if (busy_ || !in_) { return; }  // the watcher goes on from there
    (void)acknowledge_prefix();
    if (must_release_ || finished_.first_is(fate::returned) ||
        ((std::exchange(needs_acknowledge_, false) || in_->ending()) && !waiting_.empty())) {
        ask_watcher();
    }
}

bool consumer_state::acknowledge_prefix() {
    std::uint64_t end = 0;
    for (; finished_.first_is(fate::done); finished_.pop()) { end = finished_.front().end; }
    if (end != 0 && in_->acknowledge_lazily(end)) { must_release_ = true; }
    return end != 0;
}

bool consumer_state::messages_wanted() const {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [](const auto& one) { return wish_of(*one.second).what != wants::end; });
}

// On the watcher's thread.
std::optional<watched::rest> consumer_state::look() {
    std::unique_lock hold{guard_};
    armed_ = false;
    for (int round = 0; round < 64; ++round) {
        if (closed_) { return {}; }
        (void)acknowledge_prefix();
        const bool for_messages = messages_wanted();
        if (waiting_.empty() && !must_release_ && !finished_.first_is(fate::returned)) {
            in_->stop_waiting();
            return {};
        }
        busy_ = true;
        give_back_first(hold);
        const bool release = std::exchange(must_release_, false);
        hold.unlock();
        if (release) { in_->try_release(); }
        const auto found = look_thoroughly(for_messages);
        hold.lock();
        busy_ = false;
        not_busy_.notify_all();
        if (closed_) { return {}; }
        const bool acknowledged = acknowledge_prefix();
        if (found.code) {
            complete_all(found.code);
        } else if (found.status == receive_status::message) {
            serve();
        } else if (found.status != receive_status::timed_out) {
            tell_end(found.status);
        }
        if (acknowledged && found.unacknowledged) { continue; }
        needs_acknowledge_ = found.unacknowledged;
        if (messages_wanted() && found.status != receive_status::timed_out) { continue; }
        // Armed also when all are served: whoever comes next finds us waiting.
        const auto point = in_->announce_wait();
        armed_ = true;
        const bool more = in_->can_lease() && !needs_acknowledge_ && messages_wanted();
        if (more && round < 8) { continue; }
        return rest{point, clock::now() + (more || finished_.first_is(fate::returned)
                                               ? clock::duration{after_contention}
                                               : interval_)};
    }
    return rest{{}, deadline::min()};  // others have their turn
}

consumer_state::findings consumer_state::look_thoroughly(bool for_messages) {
    try {
        // Whoever waits for the end only has no use for a lease.
        if (!for_messages && (in_->at_hand() || in_->can_lease())) { return {}; }
        return {in_->lease_until(deadline::min()), {}, false};
    } catch (const error& failed) {
        // A receive waits until what its fellows hold is acknowledged.
        if (failed.which() == errc::unacknowledged) {
            return {receive_status::timed_out, {}, true};
        }
        return {receive_status::timed_out, code_of_current_exception(), false};
    } catch (...) { return {receive_status::timed_out, code_of_current_exception(), false}; }
}

// Once those before it are acknowledged: giving back would acknowledge them. busy_ is set.
void consumer_state::give_back_first(std::unique_lock<std::mutex>& hold) {
    while (finished_.first_is(fate::returned)) {
        auto& entry = finished_.front();
        const auto messages = entry.given_back;
        hold.unlock();
        std::size_t given = 0;
        try {
            while (given < messages.size() && in_->try_reject(messages[given])) { ++given; }
        } catch (const error&) {
            given = messages.size();  // no longer ours: all of the lease went back
        }
        hold.lock();
        auto& left = finished_.front().given_back;
        left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(given));
        if (!left.empty()) { return; }
        finished_.pop();
        (void)acknowledge_prefix();
    }
}

void consumer_state::serve() {
    try {
        for (auto at = waiting_.begin(); at != waiting_.end();) {
            auto& op = *at->second;
            if (wish_of(op).what == wants::end) {
                ++at;
            } else if (lease_at_once()) {
                serve_one(op);
                at = waiting_.erase(at);
            } else {
                return;
            }
        }
    } catch (...) { complete_all(code_of_current_exception()); }
}

void consumer_state::serve_one(operation& op) {
    const auto& wish = wish_of(op);
    if (wish.what == wants::readable) {
        op.complete({});
    } else if (wish.what == wants::batch) {
        static_cast<operation_with<async_batch>&>(op).complete_with({}, take_batch(wish.most));
    } else {
        static_cast<operation_with<async_message>&>(op).complete_with({}, take_message());
    }
}

void consumer_state::tell_end(receive_status how) {
    const error_code code =
        how == receive_status::end ? stream_error::end : stream_error::truncated;
    for (auto& [id, op] : waiting_) {
        const auto what = wish_of(*op).what;
        const bool good_end =
            how == receive_status::end && (what == wants::message_or_end || what == wants::end);
        op->complete(what == wants::readable || good_end ? error_code{} : code);
    }
    waiting_.clear();
}

void consumer_state::close_end() noexcept { in_.reset(); }

void receipt::done() {
    if (!from_) { return; }
    std::exchange(from_, nullptr)->settle(ticket_, fate::done, {});
}

void receipt::give_back(std::vector<message> messages) {
    std::exchange(from_, nullptr)->settle(ticket_, fate::returned, std::move(messages));
}

}  // namespace ringpipe
