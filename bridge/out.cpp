#include "bridge/out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "bridge/padding.hpp"
#include "bridge/publisher.hpp"
#include "bridge/window.hpp"
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

constexpr auto between_looks = 250ms;  // at what a cluster has

constexpr auto* member_name = "bridge out";

// As many answers are on their way while the window is full.
constexpr std::uint32_t stretches = 16;

// A header, the ids and the reply's subject go beside the payload.
constexpr std::size_t room_for_headers = 1024;

// Keeps the order of the ring in the stream, whatever fails: each message is taken only directly
// behind the one before it. If one is not stored, neither is any behind it; then all are awaited, and
// sent again from the first that has not settled. What was stored all the same is recognised by its
// id. The first after a failure goes alone, without that condition, as we cannot know what the
// stream's last message is.
//
// A single server knows the one before by its id (Nats-Expected-Last-Msg-Id). So not every message has
// to be answered: one that was stored just now has all of them before it, and a stretch of what is at
// hand asks for the answer of its last only. One that was stored before (a duplicate) proves nothing
// but itself: what may have been sent before is asked for one by one.
//
// With replicas it is known by its number (Nats-Expected-Last-Sequence): each replica checks the
// condition for itself, and one that has just caught up does not know the last id (nats-server
// 2.9.10, processCatchupMsg). It would leave out what all others store, and lose it for all when it
// leads. By number somebody else's message might stand for ours, so there each message is asked for;
// as with `shared`, where nothing follows from a message's neighbour.
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
        about_.source = fmt::format("{:016x}{:016x}", id[0], id[1]);
        refuse_a_second();
        const auto stream =
            open_stream(over, to_.context(), with.stream, with.creation, subject_of(0));
        replicated_ = stream.replicated;
        created_ = stream.created;
        const auto settle = with.settle.value_or(replicated_ ? settle_of_replicas : 0s);
        waiting_.configure(settle, with.shared || replicated_, replicated_ && settle > 0ns);
        if (stream.max_bytes != 0) { to_.set_unit(unit_of(with.stream)); }
        if (const auto why = may_drop(stream, with.stream); !why.empty()) { tell(why); }
    }

    transfer run() {
        while (!stop_requested() && !over_now_) { step(); }
        if (!over_now_) { leave(); }
        in_.close();
        return done_;
    }

  private:
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

    void step() {
        take_answers(0ms);
        if (waiting_.awaits_confirmation() && clock::now() >= next_look_) { confirm(); }
        if (failed_) {
            recover();
        } else if (alone_ && to_.in_flight() > 0) {
            take_answers(tick);
        } else if (waiting_.unpublished() > 0) {
            publish_stretch();
        } else if (has_room() && !ending_) {
            receive();
        } else {
            take_answers(tick);
        }
    }

    // Those that settle do not count: the ring has room for them, or its producers wait.
    [[nodiscard]] bool has_room() const {
        return waiting_.unstored() < with_.window && waiting_.unstored_bytes() < window_bytes;
    }

    void receive() {
        auto status = receive_status::timed_out;
        try {
            const bool nothing_else_to_do = waiting_.unstored() == 0;
            status = in_.receive_batch(received_, stretch_,
                                       nothing_else_to_do ? after(tick) : deadline::min());
        } catch (const error& e) {
            if (e.which() != errc::unacknowledged) { throw; }
            take_answers(tick);
            return;
        }
        if (status == receive_status::message) {
            for (const auto& got : received_) { waiting_.add(got, parts_of(got)); }
        } else if (status == receive_status::timed_out) {
            count_(0, 0);
            // Not long: a message may come before an answer does.
            if (waiting_.unstored() > 0) { take_answers(1ms); }
        } else if (waiting_.size() == 0) {
            end(status == receive_status::truncated);
        } else {
            take_answers(tick);
        }
    }

    [[nodiscard]] std::uint32_t parts_of(const message& got) const {
        return static_cast<std::uint32_t>(
            std::max<std::size_t>(1, (got.payload().size() + part_size_ - 1) / part_size_));
    }

    void end(bool truncated) {
        if (with_.follow) {
            std::this_thread::sleep_for(tick / 2);
            return;
        }
        // One for each partition, so that every `in` learns of it.
        for (std::uint32_t i = 0; i < with_.partition.partitions; ++i) {
            waiting_.add_end(truncated, i);
        }
        ending_ = true;
        done_.why = truncated ? ending::truncated : ending::clean;
    }

    [[nodiscard]] std::string subject_of(std::uint32_t partition) const {
        if (with_.partition.by == partitioning::key::none) { return with_.stream; }
        return fmt::format("{}.{}", with_.stream, partition);
    }

    [[nodiscard]] publisher::place place() const {
        if (with_.shared || alone_) { return publisher::place::anywhere; }
        return replicated_ ? publisher::place::behind_last_number
                           : publisher::place::behind_last_id;
    }

    // What is at hand, or one part of it if it has to go alone. Never without a question at its end.
    void publish_stretch() {
        auto left = std::min(waiting_.unpublished(), stretch_);
        do {
            left -= publish(waiting_.next(), left == 1) ? 1 : 0;
        } while (left > 0 && !failed_ && !alone_);
    }

    // False: there is more of it.
    bool publish(window::entry& one, bool last) {
        std::string subject;
        if (one.is_end) {
            // By what was sent so far, since a ring may end again.
            about_.sequence = ring_.status().messages;
            about_.end = one.truncated ? "truncated" : "clean";
            about_.producer = one.partition;
            subject = subject_of(one.partition);
        } else {
            about_.sequence = one.what.sequence();
            about_.attempt = one.what.attempt();
            about_.producer = one.what.producer();
            about_.end.clear();
            subject = subject_of(partition_of(one.what.payload(), with_.partition));
        }
        about_.parts = one.parts;
        one.asks_for_each = alone_ || waiting_.next_needs_answer();
        for (; part_ < one.parts; ++part_) {
            about_.part = part_;
            const auto payload = one.what.payload();
            const auto from = std::min(part_ * part_size_, payload.size());
            const auto piece = payload.subspan(from, std::min(part_size_, payload.size() - from));
            const bool ask = one.asks_for_each || (last && part_ + 1 == one.parts);
            if (!to_.publish(subject, piece, about_, place(), {waiting_.next_tag(), part_}, ask)) {
                failed_ = true;
                failure_ = "it cannot be sent";
                return false;
            }
            if (alone_) {
                ++part_;
                break;
            }
        }
        if (part_ != one.parts) { return false; }
        part_ = 0;
        waiting_.advance();
        return true;
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
        if (one.duplicate) {
            ++done_.duplicates;  // no progress: that one was there before
        } else {
            failures_ = 0;
        }
        // Alone no longer: what comes next goes directly behind this one.
        if (alone_) { to_.set_last_number(one.number); }
        alone_ = false;
        return waiting_.note_stored(one);
    }

    void acknowledge() {
        const auto settled = waiting_.take_settled();
        over_now_ = settled.was_all;
        over_.note().set_waiting(waiting_.size());
        if (settled.messages == 0) { return; }
        failures_ = 0;
        over_.note().passed(settled.messages, settled.bytes);
        in_.acknowledge_to(settled.end);
        done_.messages += settled.messages;
        done_.bytes += settled.bytes;
        count_(settled.messages, settled.bytes);
    }

    // Who leads a cluster now may not have what another has stored, and nobody says so while nothing
    // is sent.
    void confirm() {
        const auto now = clock::now();
        const auto has = extent_of(over_, to_.context(), with_.stream);
        next_look_ = after(between_looks);
        if (has && !waiting_.confirm(now, has->last)) {
            failed_ = true;
            failure_ = fmt::format("it ends at {} and had stored more", has->last);
        }
        acknowledge();
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
            pause_for(std::min<clock::duration>(5ms * (1U << std::min(failures_, 9U)), 2s));
            if (failures_ % 4 == 0 && over_.connected() && !stop_requested()) { look_for_stream(); }
        }
        done_.resent += waiting_.start_over();
        part_ = 0;
        alone_ = true;
        failed_ = false;
    }

    // What the stream still acknowledges is not sent again by the next one.
    void leave() {
        const auto until = after(2s);
        while (to_.in_flight() > 0 && clock::now() < until) { take_answers(tick); }
        done_.why = ending::signal;
    }

    // If it was removed meanwhile, or made anew: that is for the user to know.
    void look_for_stream() {
        const auto now = open_stream(over_, to_.context(), with_.stream, {});
        if (now.created != created_) { refuse_another(with_.stream); }
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
    envelope about_;  // what is sent just now; its source is always the same
    window waiting_;
    std::uint32_t part_ = 0;  // to publish, of the next
    std::size_t stretch_;     // messages that one answer may speak for
    std::vector<message> received_;
    bool replicated_ = false;
    std::int64_t created_ = 0;
    clock::time_point next_look_{};
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
