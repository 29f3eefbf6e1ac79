#include "async/end_state.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include "async/fork_count.hpp"
#include "common/error.hpp"

namespace ringpipe {

end_state::end_state(asio::any_io_executor io)
    : io_{std::move(io)},
      siblings_{ends_of_context::of(asio::query(io_, asio::execution::context))},
      forks_{fork_count()} {
    siblings_->add(*this);
}

end_state::~end_state() {
    if (forked()) { return; }
    siblings_->remove(*this);
}

bool end_state::forked() const { return forks_ != fork_count(); }

error_code end_state::refusal(bool forked) {
    return std::error_code{make_error_code(forked ? errc::forked : errc::closed)};
}

void end_state::wait(std::unique_ptr<operation> op, asio::cancellation_slot slot,
                     bool needs_a_look) {
    if (forked()) { return op->complete(refusal(true)); }
    const std::lock_guard hold{guard_};
    if (closed_) { return op->complete(refusal(false)); }
    const auto id = next_id_++;
    if (slot.is_connected()) {
        // Terminal, partial and total are one: what waits has done nothing yet.
        slot.assign([weak = weak_from_this(), id](asio::cancellation_type) {
            if (const auto self = weak.lock()) { self->cancel_one(id); }
        });
    }
    waiting_.emplace(id, std::move(op));
    if (needs_a_look || !armed_) { ask_watcher(); }
}

void end_state::ask_watcher() {
    if (!watcher_) { watcher_ = watcher::for_one_more(); }
    armed_ = true;
    watcher_->wake_for(std::static_pointer_cast<watched>(shared_from_this()));
}

void end_state::cancel_one(std::uint64_t id) {
    if (forked()) { return; }
    const std::lock_guard hold{guard_};
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) { return; }  // too late: it has completed
    if (found->second->in_flight) {
        found->second->cancelled = true;
        return;
    }
    found->second->complete(asio::error::operation_aborted);
    waiting_.erase(found);
}

void end_state::cancel() {
    if (forked()) { return; }
    std::unique_lock hold{guard_};
    complete_all(asio::error::operation_aborted);
}

void end_state::complete_all(error_code code) {
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        if (at->second->in_flight) {
            at->second->cancelled = true;
            ++at;
        } else {
            at->second->complete(code);
            at = waiting_.erase(at);
        }
    }
}

void end_state::close(outstanding how) {
    if (forked()) { return close_end(); }
    operations left;
    {
        std::unique_lock hold{guard_};
        if (closed_) { return; }
        closed_ = true;
        not_busy_.wait(hold, [this] { return !busy_; });
        if (how == outstanding::aborted) {
            complete_all(asio::error::operation_aborted);
        } else {
            left.swap(waiting_);
        }
        if (watcher_) { watcher_->give_back_place(); }
    }
    close_end();
    left.clear();
    std::shared_ptr<watcher> last;
    const std::lock_guard hold{guard_};
    last.swap(watcher_);
}

}  // namespace ringpipe
