#include "bridge/window.hpp"

#include <algorithm>

namespace ringpipe::bridge {

using namespace std::chrono_literals;

void window::configure(clock::duration settle, bool each_for_itself, bool confirmed) {
    settle_ = settle;
    each_for_itself_ = each_for_itself;
    confirmed_ = confirmed;
}

void window::add(const message& got, std::uint32_t parts) {
    entry next;
    next.what = got;
    next.parts = parts;
    bytes_ += got.payload().size();
    entries_.push_back(next);
    // The one before us may have sent it.
    if (got.redelivered()) { ask_each_until_ = first_ + entries_.size(); }
}

void window::add_end(bool truncated, std::uint32_t partition) {
    entry last;
    last.is_end = true;
    last.truncated = truncated;
    last.partition = partition;
    entries_.push_back(last);
}

bool window::next_needs_answer() const {
    return each_for_itself_ || entries_[next_].is_end || next_tag() < ask_each_until_;
}

bool window::note_stored(const publisher::answer& one) {
    if (one.of.tag < first_) { return true; }
    const auto at = static_cast<std::size_t>(one.of.tag - first_);
    auto& spoken_of = entries_[at];
    const bool speaks_for_itself =
        spoken_of.asks_for_each || (at == stored_ && spoken_of.stored == one.of.part);
    const auto now = settle_ != 0ns ? clock::now() : clock::time_point{};
    // One that was stored earlier settles since it was first known: what is sent again and again would
    // never.
    if (!one.duplicate || spoken_of.stored_at == clock::time_point{}) { spoken_of.stored_at = now; }
    if (each_for_itself_ || one.duplicate) {
        ++spoken_of.stored;
    } else {
        for (auto i = stored_; i < at; ++i) {
            entries_[i].stored = entries_[i].parts;
            entries_[i].stored_at = now;
        }
        spoken_of.stored = std::max(spoken_of.stored, one.of.part + 1);
    }
    spoken_of.number = one.number;
    while (stored_ < entries_.size() && entries_[stored_].is_stored()) {
        stored_bytes_ += entries_[stored_].what.payload().size();
        ++stored_;
    }
    return !one.duplicate || speaks_for_itself;
}

bool window::has_settled(const entry& one) const {
    if (!one.is_stored()) { return false; }
    if (settle_ == 0ns) { return true; }
    return one.stored_at + settle_ <= (confirmed_ ? confirmed_at_ : clock::now());
}

bool window::awaits_confirmation() const {
    if (!confirmed_ || entries_.empty()) { return false; }
    const auto& first = entries_.front();
    return first.is_stored() && !has_settled(first) && first.stored_at + settle_ <= clock::now();
}

bool window::confirm(clock::time_point when, std::uint64_t last) {
    const bool has_all = std::none_of(entries_.begin(), entries_.end(), [&](const entry& e) {
        return e.is_stored() && e.stored_at + settle_ <= when && e.number > last;
    });
    if (has_all) { confirmed_at_ = when; }
    return has_all;
}

window::prefix window::take_settled() {
    prefix done;
    while (next_ > 0 && !entries_.empty() && has_settled(entries_.front())) {
        const auto& first = entries_.front();
        if (first.is_end) {
            // One for each partition: they go together, or not yet.
            done.was_all = std::all_of(entries_.begin(), entries_.end(),
                                       [this](const entry& e) { return has_settled(e); });
            break;
        }
        ++done.messages;
        done.bytes += first.what.payload().size();
        done.end = first.what.end();
        entries_.pop_front();
        ++first_;
        --next_;
        --stored_;
    }
    bytes_ -= done.bytes;
    stored_bytes_ -= done.bytes;
    return done;
}

std::size_t window::start_over() {
    const auto published = next_;
    ask_each_until_ = first_ + entries_.size();
    for (auto& each : entries_) { each.stored = 0; }
    stored_ = 0;
    stored_bytes_ = 0;
    next_ = 0;
    return published;
}

}  // namespace ringpipe::bridge
