#include "bridge/out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "bridge/publisher.hpp"
#include "common/error.hpp"
#include "common/shutdown.hpp"
#include "shm/segment.hpp"

namespace ringpipe::bridge {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 100ms;  // how long a signal may go unnoticed

// A cluster may acknowledge what its next leader does not have (seen with nats-server 2.9: about a
// second of it).
constexpr auto settle_of_replicas = 3s;

// A header, the ids and the reply's subject go beside the payload.
constexpr std::size_t room_for_headers = 1024;

// Keeps the order of the ring in the stream, whatever fails: each message is taken only directly
// behind the one before it (Nats-Expected-Last-Msg-Id). If one is not stored, neither is any behind
// it; then all are awaited, and sent again from the first that has not settled. What was stored all
// the same is recognised by its id. The first after a failure goes alone, without that condition, as we
// cannot know what the stream's last message is.
class sender {
  public:
    sender(const ring& from, const connection& over, const out_options& with, const teller& tell,
           const pass_counter& count)
        : ring_{from},
          over_{over},
          with_{with},
          tell_{tell},
          count_{count},
          in_{from, as_member(with)},
          to_{over},
          part_size_{over.max_payload() - std::min(over.max_payload() / 2, room_for_headers)} {
        const auto& id = from.shared()->header().creation_id;
        source_ = fmt::format("{:016x}{:016x}", id[0], id[1]);
        open_stream(over, to_.context(), with.stream, with.creation);
        const auto extent = extent_of(over, to_.context(), with.stream);
        settle_ = with.settle.value_or(extent && extent->replicated ? settle_of_replicas : 0s);
    }

    transfer run() {
        while (!stop_requested() && !over_now_) { step(); }
        if (!over_now_) { leave(); }
        in_.close();
        return done_;
    }

  private:
    struct entry {
        message what;
        std::uint32_t parts = 1;
        std::uint32_t stored = 0;
        bool truncates = false;  // `what` is no message but the end
        bool is_end = false;
        clock::time_point stored_at = {};
    };

    static consumer_options as_member(const out_options& with) {
        consumer_options me;
        me.group = with.group;
        me.prefetch = with.window;
        me.max_attempts = 0;  // no payload can kill a bridge; nothing is to be set aside
        me.name = "bridge out";
        return me;
    }

    void step() {
        take_answers(0ms);
        if (failed_) {
            recover();
        } else if (alone_ && to_.in_flight() > 0) {
            take_answers(tick);
        } else if (next_ < entries_.size()) {
            publish(entries_[next_]);
        } else if (has_room() && !ending_) {
            receive();
        } else {
            take_answers(tick);
        }
    }

    // Those that settle do not count but for their bytes.
    [[nodiscard]] bool has_room() const {
        return entries_.size() - stored_ < with_.window && bytes_ < window_bytes;
    }

    void receive() {
        message got;
        try {
            const bool nothing_else_to_do = stored_ == entries_.size();
            got = nothing_else_to_do ? in_.receive_until(after(tick)) : in_.try_receive();
        } catch (const error& e) {
            if (e.which() != errc::unacknowledged) { throw; }
            take_answers(tick);
            return;
        }
        if (got) {
            entry next;
            next.what = got;
            next.parts = static_cast<std::uint32_t>(
                std::max<std::size_t>(1, (got.payload().size() + part_size_ - 1) / part_size_));
            bytes_ += got.payload().size();
            entries_.push_back(next);
        } else if (got.status() == receive_status::timed_out) {
            count_(0, 0);
            // Not long: a message may come before an answer does.
            if (stored_ < entries_.size()) { take_answers(1ms); }
        } else if (entries_.empty()) {
            end(got.status() == receive_status::truncated);
        } else {
            take_answers(tick);
        }
    }

    void end(bool truncated) {
        if (with_.follow) {
            std::this_thread::sleep_for(tick / 2);
            return;
        }
        // One for each partition, so that every `in` learns of it.
        for (std::uint32_t i = 0; i < with_.partition.partitions; ++i) {
            entry last;
            last.is_end = true;
            last.truncates = truncated;
            entries_.push_back(last);
        }
        ending_ = true;
        done_.why = truncated ? ending::truncated : ending::clean;
    }

    [[nodiscard]] std::string subject_of(std::uint32_t partition) const {
        if (with_.partition.by == partitioning::key::none) { return with_.stream; }
        return fmt::format("{}.{}", with_.stream, partition);
    }

    void publish(const entry& one) {
        envelope about;
        about.source = source_;
        std::string subject;
        if (one.is_end) {
            // By what was sent so far, since a ring may end again.
            about.sequence = ring_.status().messages;
            about.end = one.truncates ? "truncated" : "clean";
            about.producer = static_cast<std::uint32_t>(next_);
            subject = subject_of(static_cast<std::uint32_t>(next_));
        } else {
            about.sequence = one.what.sequence();
            about.attempt = one.what.attempt();
            about.producer = one.what.producer();
            subject = subject_of(partition_of(one.what.payload(), with_.partition));
        }
        about.parts = one.parts;
        for (; part_ < one.parts; ++part_) {
            about.part = part_;
            const auto payload = one.what.payload();
            const auto from = std::min(part_ * part_size_, payload.size());
            const auto piece = payload.subspan(from, std::min(part_size_, payload.size() - from));
            auto id = message_id(about);
            const auto& behind = with_.shared || alone_ ? none_ : last_id_;
            if (!to_.publish(subject, piece, about, behind, first_ + next_)) {
                failed_ = true;
                return;
            }
            last_id_ = std::move(id);
            if (alone_) {
                ++part_;
                break;
            }
        }
        if (part_ == one.parts) {
            part_ = 0;
            ++next_;
        }
    }

    void take_answers(std::chrono::milliseconds timeout) {
        for (const auto& one : to_.answers(timeout)) {
            if (!one.stored) {
                failed_ = true;
                last_failure_ = one;
                continue;
            }
            done_.duplicates += one.duplicate ? 1 : 0;
            failures_ = 0;
            // Alone no longer: what comes next goes directly behind this one.
            alone_ = false;
            if (one.tag >= first_) { note_stored(entries_[one.tag - first_]); }
        }
        acknowledge();
    }

    void note_stored(entry& one) {
        if (++one.stored == one.parts) {
            ++stored_;
            if (settle_ != 0ns) { one.stored_at = clock::now(); }
        }
    }

    [[nodiscard]] bool has_settled(const entry& one) const {
        return settle_ == 0ns || clock::now() - one.stored_at >= settle_;
    }

    // The finished prefix.
    void acknowledge() {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;
        std::uint64_t end = 0;
        while (!entries_.empty() && next_ > 0 &&
               entries_.front().stored >= entries_.front().parts && has_settled(entries_.front())) {
            const auto& first = entries_.front();
            if (first.is_end) {
                // Its number in `entries_` is its partition's: they go together, at the end.
                if (std::all_of(entries_.begin(), entries_.end(), [this](const entry& e) {
                        return e.stored >= e.parts && has_settled(e);
                    })) {
                    over_now_ = true;
                }
                break;
            }
            ++messages;
            bytes += first.what.payload().size();
            end = first.what.end();
            entries_.pop_front();
            ++first_;
            --next_;
            --stored_;
        }
        if (messages == 0) { return; }
        in_.acknowledge_to(end);
        bytes_ -= bytes;
        done_.messages += messages;
        done_.bytes += bytes;
        count_(messages, bytes);
    }

    // Nothing is sent until everything is answered, or given up by cnats.
    void recover() {
        const auto until = after(std::chrono::milliseconds{2 * publisher::answer_ms});
        while (to_.in_flight() > 0 && clock::now() < until && !stop_requested()) {
            take_answers(tick);
            over_.check();
        }
        if (to_.in_flight() > 0) { return; }
        over_.check();
        ++failures_;
        if (failures_ % 8 == 0) {
            tell_(fmt::format(
                "stream {} does not take what is sent: {}; trying again", with_.stream,
                words_for(last_failure_.status, static_cast<jsErrCode>(last_failure_.code))));
        }
        if (failures_ > 1) {
            wait(std::min<clock::duration>(5ms * (1U << std::min(failures_, 9U)), 2s));
            // If it was removed meanwhile: that is for the user to know.
            if (failures_ % 4 == 0 && over_.connected() && !stop_requested()) {
                open_stream(over_, to_.context(), with_.stream, with_.creation);
            }
        }
        done_.resent += next_;
        // All that has not settled: what is stored all the same, is recognised by its id.
        for (auto& each : entries_) { each.stored = 0; }
        stored_ = 0;
        next_ = 0;
        part_ = 0;
        alone_ = true;
        failed_ = false;
        last_id_.clear();
    }

    static void wait(clock::duration how_long) {
        const auto until = after(how_long);
        while (!stop_requested() && clock::now() < until) { std::this_thread::sleep_for(5ms); }
    }

    // What the stream still acknowledges is not sent again by the next one.
    void leave() {
        const auto until = after(2s);
        while (to_.in_flight() > 0 && clock::now() < until) { take_answers(tick); }
        done_.why = ending::signal;
    }

    static constexpr std::uint64_t window_bytes = 16U << 20U;

    const ring& ring_;
    const connection& over_;
    const out_options& with_;
    const teller& tell_;
    const pass_counter& count_;
    consumer in_;
    publisher to_;
    std::size_t part_size_;
    std::string source_;
    std::deque<entry> entries_;  // received, and not acknowledged
    std::uint64_t first_ = 0;    // the tag of entries_.front()
    std::size_t next_ = 0;       // to publish, of entries_
    std::uint32_t part_ = 0;     // of that
    std::uint64_t bytes_ = 0;    // of entries_
    std::size_t stored_ = 0;     // of entries_: those that only settle
    clock::duration settle_{};
    std::string last_id_;  // published last, of this run without a failure
    const std::string none_;
    bool alone_ = true;
    bool failed_ = false;
    bool ending_ = false;
    bool over_now_ = false;
    unsigned failures_ = 0;
    publisher::answer last_failure_{};
    transfer done_;
};

}  // namespace

transfer run_out(const ring& from, const connection& over, const out_options& with,
                 const teller& tell, const pass_counter& count) {
    sender bridge{from, over, with, tell, count};
    return bridge.run();
}

}  // namespace ringpipe::bridge
