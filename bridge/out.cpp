#include "bridge/out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <thread>
#include <vector>

#include "bridge/padding.hpp"
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

constexpr auto* member_name = "bridge out";

// As many answers are on their way while the window is full.
constexpr std::uint32_t stretches = 16;

// A header, the ids and the reply's subject go beside the payload.
constexpr std::size_t room_for_headers = 1024;

// Keeps the order of the ring in the stream, whatever fails: each message is taken only directly
// behind the one before it (Nats-Expected-Last-Msg-Id). If one is not stored, neither is any behind
// it; then all are awaited, and sent again from the first that has not settled. What was stored all
// the same is recognised by its id. The first after a failure goes alone, without that condition, as we
// cannot know what the stream's last message is.
//
// So not every message has to be answered: one that was stored just now has all of them before it,
// and a stretch of what is at hand asks for the answer of its last only. One that was stored
// before (a duplicate) proves nothing but itself: what may have been sent before is asked for
// one by one. So is all with `shared`, where nothing follows from its neighbour.
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
          part_size_{over.max_payload() - std::min(over.max_payload() / 2, room_for_headers)},
          stretch_{std::max(1U, with.window / stretches)} {
        const auto& id = from.shared()->header().creation_id;
        source_ = fmt::format("{:016x}{:016x}", id[0], id[1]);
        refuse_a_second();
        const auto stream =
            open_stream(over, to_.context(), with.stream, with.creation, subject_of(0));
        settle_ = with.settle.value_or(stream.replicated ? settle_of_replicas : 0s);
        keep_full_stream_whole(stream);
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
        bool asked_each = false;  // every part, when it was published
        clock::time_point stored_at = {};

        [[nodiscard]] bool is_stored() const { return stored >= parts; }
    };

    static consumer_options as_member(const out_options& with) {
        consumer_options me;
        me.group = with.group;
        me.prefetch = with.window;
        me.max_attempts = 0;  // no payload can kill a bridge; nothing is to be set aside
        me.name = member_name;
        return me;
    }

    // Two would take turns in the ring, and each wait for the other's messages in the stream. Of two
    // that start in the same moment both may see the other, and give way.
    void refuse_a_second() const {
        if (with_.shared) { return; }
        const auto members = ring_.status().members;
        const auto those = std::count_if(members.begin(), members.end(), [&](const auto& m) {
            return m.alive && m.name == member_name && m.group == with_.group;
        });
        if (those > 1) {
            throw error{errc::name_in_use,
                        fmt::format("cannot bridge group {} of ring {}: another bridge out reads "
                                    "it; stop that one, or name another group",
                                    with_.group, ring_.name())};
        }
    }

    void keep_full_stream_whole(const stream_extent& stream) {
        if (stream.max_bytes == 0) { return; }
        const auto unit = unit_of(with_.stream);
        to_.set_unit(unit);
        if (stream.discards_old) {
            tell_(
                fmt::format("stream {} discards its oldest messages when it is full, read or not; "
                            "make it discard new ones (discard: new) to keep all",
                            with_.stream));
        } else if (stream.max_bytes % unit != 0 || stream.bytes % unit != 0) {
            tell_(
                fmt::format("stream {} was not made or not filled by ringpipe alone: before 2.10.5 "
                            "nats-server may discard its oldest messages when it is full; give it "
                            "room, or a newer server",
                            with_.stream));
        }
    }

    void step() {
        take_answers(0ms);
        if (failed_) {
            recover();
        } else if (alone_ && to_.in_flight() > 0) {
            take_answers(tick);
        } else if (next_ < entries_.size()) {
            publish_stretch();
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
        auto status = receive_status::timed_out;
        try {
            const bool nothing_else_to_do = stored_ == entries_.size();
            status = in_.receive_batch(received_, stretch_,
                                       nothing_else_to_do ? after(tick) : deadline::min());
        } catch (const error& e) {
            if (e.which() != errc::unacknowledged) { throw; }
            take_answers(tick);
            return;
        }
        if (status == receive_status::message) {
            for (const auto& got : received_) { add(got); }
        } else if (status == receive_status::timed_out) {
            count_(0, 0);
            // Not long: a message may come before an answer does.
            if (stored_ < entries_.size()) { take_answers(1ms); }
        } else if (entries_.empty()) {
            end(status == receive_status::truncated);
        } else {
            take_answers(tick);
        }
    }

    void add(const message& got) {
        entry next;
        next.what = got;
        next.parts = static_cast<std::uint32_t>(
            std::max<std::size_t>(1, (got.payload().size() + part_size_ - 1) / part_size_));
        bytes_ += got.payload().size();
        entries_.push_back(next);
        // The one before us may have sent it.
        if (got.redelivered()) { ask_each_until_ = first_ + entries_.size(); }
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

    // What is at hand, or one part of it if it has to go alone. Never without a question at its end.
    void publish_stretch() {
        const auto stop = std::min(entries_.size(), next_ + stretch_);
        do {
            publish(entries_[next_], next_ + 1 == stop);
        } while (next_ < stop && !failed_ && !alone_);
    }

    void publish(entry& one, bool last) {
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
        const auto tag = first_ + next_;
        one.asked_each = with_.shared || alone_ || one.is_end || tag < ask_each_until_;
        for (; part_ < one.parts; ++part_) {
            about.part = part_;
            const auto payload = one.what.payload();
            const auto from = std::min(part_ * part_size_, payload.size());
            const auto piece = payload.subspan(from, std::min(part_size_, payload.size() - from));
            const auto& behind = with_.shared || alone_ ? none_ : last_id_;
            const bool ask = one.asked_each || (last && part_ + 1 == one.parts);
            if (!to_.publish(subject, piece, about, behind, {tag, part_}, ask)) {
                failed_ = true;
                failure_ = "it cannot be sent";
                return;
            }
            last_id_ = message_id(about);
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
            if (one.stored && note_stored(one)) { continue; }
            failed_ = true;
            failure_ = one.stored ? "part of it has come before" : one.why;
        }
        acknowledge();
    }

    // False: it leaves open whether those are stored that it should speak for.
    bool note_stored(const publisher::answer& one) {
        done_.duplicates += one.duplicate ? 1 : 0;
        failures_ = 0;
        // Alone no longer: what comes next goes directly behind this one.
        alone_ = false;
        if (one.of.tag < first_) { return true; }
        const auto at = static_cast<std::size_t>(one.of.tag - first_);
        auto& spoken_of = entries_[at];
        const bool speaks_for_itself =
            spoken_of.asked_each || (at == stored_ && spoken_of.stored == one.of.part);
        if (with_.shared || one.duplicate) {
            ++spoken_of.stored;
        } else {
            for (auto i = stored_; i < at; ++i) { entries_[i].stored = entries_[i].parts; }
            spoken_of.stored = std::max(spoken_of.stored, one.of.part + 1);
        }
        for (; stored_ < entries_.size() && entries_[stored_].is_stored(); ++stored_) {
            if (settle_ != 0ns) { entries_[stored_].stored_at = clock::now(); }
        }
        return !one.duplicate || speaks_for_itself;
    }

    [[nodiscard]] bool has_settled(const entry& one) const {
        return settle_ == 0ns || clock::now() - one.stored_at >= settle_;
    }

    // The finished prefix.
    void acknowledge() {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;
        std::uint64_t end = 0;
        while (!entries_.empty() && next_ > 0 && entries_.front().is_stored() &&
               has_settled(entries_.front())) {
            const auto& first = entries_.front();
            if (first.is_end) {
                // Its number in `entries_` is its partition's: they go together, at the end.
                if (std::all_of(entries_.begin(), entries_.end(), [this](const entry& e) {
                        return e.is_stored() && has_settled(e);
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
        over_.note().set_waiting(entries_.size());
        if (messages == 0) { return; }
        over_.note().passed(messages, bytes);
        in_.acknowledge_to(end);
        bytes_ -= bytes;
        done_.messages += messages;
        done_.bytes += bytes;
        count_(messages, bytes);
    }

    // Nothing is sent until everything is answered, or given up.
    void recover() {
        const auto until = after(2 * publisher::answer_time);
        while (to_.in_flight() > 0 && clock::now() < until && !stop_requested()) {
            take_answers(tick);
            over_.check();
        }
        if (to_.in_flight() > 0) { return; }
        over_.check();
        over_.note().failed(failure_);
        ++failures_;
        if (failures_ % 8 == 0) {
            tell_(fmt::format("stream {} does not take what is sent: {}; trying again",
                              with_.stream, failure_));
        }
        if (failures_ > 1) {
            wait(std::min<clock::duration>(5ms * (1U << std::min(failures_, 9U)), 2s));
            // If it was removed meanwhile: that is for the user to know.
            if (failures_ % 4 == 0 && over_.connected() && !stop_requested()) {
                (void)open_stream(over_, to_.context(), with_.stream, with_.creation);
            }
        }
        done_.resent += next_;
        // All that has not settled: what is stored all the same, is recognised by its id, and only
        // by its own answer.
        ask_each_until_ = first_ + entries_.size();
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
    std::deque<entry> entries_;         // received, and not acknowledged
    std::uint64_t first_ = 0;           // the tag of entries_.front()
    std::size_t next_ = 0;              // to publish, of entries_
    std::uint32_t part_ = 0;            // of that
    std::uint64_t bytes_ = 0;           // of entries_
    std::size_t stored_ = 0;            // all of entries_ before this one: those only settle
    std::size_t stretch_;               // messages that one answer may speak for
    std::uint64_t ask_each_until_ = 0;  // a tag: those before it may have been sent before
    std::vector<message> received_;
    clock::duration settle_{};
    std::string last_id_;  // published last, of this run without a failure
    const std::string none_;
    bool alone_ = true;
    bool failed_ = false;
    bool ending_ = false;
    bool over_now_ = false;
    unsigned failures_ = 0;
    std::string failure_;  // the last one
    transfer done_;
};

}  // namespace

transfer run_out(const ring& from, const connection& over, const out_options& with,
                 const teller& tell, const pass_counter& count) {
    sender bridge{from, over, with, tell, count};
    return bridge.run();
}

}  // namespace ringpipe::bridge
