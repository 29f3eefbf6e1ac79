#include "bridge/in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "bridge/joiner.hpp"
#include "bridge/puller.hpp"
#include "bridge/ring_sink.hpp"
#include "common/error.hpp"
#include "common/shutdown.hpp"

namespace ringpipe::bridge {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 100ms;  // how long a signal may go unnoticed

// In messages of the stream: the rest of a large message that has not come by then will not. Half of
// what JetStream delivers without an acknowledgement, which waits for that message.
constexpr std::uint64_t patience_for_parts = max_unacknowledged / 2;

// Keeps the order of the stream in the ring, whatever is lost on the way. JetStream counts its
// deliveries: while no number is missing, nothing is. When one is, or we have just started, what
// lies between is read from the stream itself, and what JetStream delivers again later, in whatever
// order, is known already: it is acknowledged and dropped.
class receiver {
  public:
    receiver(const ring& to, const connection& over, const in_options& with, const teller& tell,
             const pass_counter& count)
        : ring_name_{to.name()},
          over_{over},
          with_{with},
          tell_{tell},
          count_{count},
          context_{over.make_context()},
          from_{over, with.stream, with.consumer, with.batch},
          subject_{with.partition ? fmt::format("{}.{}", with.stream, *with.partition) : ""},
          start_{open()},
          sink_{to, with.stream + "." + with.consumer, passed_on_} {
        acknowledged_ = start_.acknowledged;
        acknowledges_each_ = start_.acknowledges_each;
        refuse_shorter(start_.stream);
        // What is before the first is no longer there to be read; of what there was before this
        // consumer came, nothing is missed.
        const auto before_first = start_.stream.first > 0 ? start_.stream.first - 1 : 0;
        const auto known = std::max(acknowledged_, sink_.committed());
        if (known > 0 && before_first > known && !start_.stream.removes_what_was_read) {
            miss(before_first - known);
        }
        // What is in the ring is known for sure; what a cluster that has just lost a server says was
        // acknowledged, is not (seen with nats-server 2.9: a whole fetch too much). Behind what was
        // acknowledged for sure there may be parts of a message that is not in the ring.
        passed_ =
            sink_.committed() != 0 ? std::min(acknowledged_, sink_.committed()) : acknowledged_;
        passed_ = std::max(passed_, before_first);
        sure_ = std::max(passed_, sink_.committed());
        watches_limits_ = !subject_.empty() && start_.stream.loses_unread;
    }

    transfer run() {
        try {
            while (!stop_requested() && !over_now_) { step(); }
        } catch (...) {
            sink_.end(false);
            throw;
        }
        done_.missing += joiner_.left_out();
        if (!over_now_) {
            // Not the end of the stream: whoever is started next goes on from here.
            done_.why = ending::signal;
            sink_.end(false);
        }
        (void)natsConnection_FlushTimeout(over_.get(), 2000);  // the last acknowledgements
        done_.messages = sink_.done().messages;
        done_.bytes = sink_.done().bytes;
        return done_;
    }

  private:
    struct delivered {
        std::uint64_t sequence;
        const char* reply;  // where its acknowledgement goes to
    };

    [[nodiscard]] consumer_place open() const {
        (void)open_stream(over_, context_.get(), with_.stream, {});
        return open_durable(over_, context_.get(), with_.stream, with_.consumer, subject_);
    }

    // A leader that is new may not have all yet.
    void refuse_shorter(stream_extent stream) const {
        const auto patient = after(stream.replicated ? 10s : 0s);
        while (sink_.committed() > stream.last && clock::now() < patient && !stop_requested()) {
            pause_for(250ms);
            stream = extent_of(over_, context_.get(), with_.stream).value_or(stream);
        }
        if (sink_.committed() <= stream.last) { return; }
        throw error{
            errc::options_differ,
            fmt::format("stream {} ends at {}, and ring {} has its messages up to {}: it was made "
                        "anew, or has lost its end; use another ring, or another consumer's name",
                        with_.stream, stream.last, ring_name_, sink_.committed())};
    }

    // Of a partition nobody knows which of them were its own.
    void miss(std::uint64_t messages) {
        done_.missing += subject_.empty() ? messages : 1;
        done_.missing_at_least = !subject_.empty();
    }

    // Before anything behind the loss is acknowledged.
    void mark_losses() {
        if (done_.missing + joiner_.left_out() > 0) { sink_.mark_incomplete(); }
    }

    void step() {
        const auto why = from_.fetch(fetched_, 250ms);
        if (!fetched_.empty()) {
            failures_ = 0;
            take();
        } else if (why.empty() && over_.connected()) {
            count_(0, 0);
            if (watches_limits_) { note_all_read(); }
            // The consumer may be gone, or its servers have lost our request: seldom, so ask.
            if (++idle_ % 20 == 0) { look_after_consumer(); }
        } else {
            over_.check();
            if (!why.empty()) { over_.note().failed(why); }
            pause_for(std::min<clock::duration>(10ms * (1U << std::min(failures_, 8U)), 2s));
            if (++failures_ % 8 == 0 && over_.connected() && !stop_requested()) {
                tell_(
                    fmt::format("stream {} does not deliver: {}; trying again", with_.stream, why));
                look_after_consumer();
            }
        }
    }

    // If the consumer was removed it is made again; if the stream was, that is for the user to know.
    // What the stream has and the consumer does not deliver is read from the stream: a cluster that
    // has just lost a server may take it for acknowledged.
    void look_after_consumer() {
        const auto now = open();
        if (now.stream.created != start_.stream.created) { refuse_another(with_.stream); }
        acknowledges_each_ = now.acknowledges_each;
        if (!fill(last_for_us(now.stream) + 1, false) || !sink_.flush()) { return; }
        mark_losses();
        if (over_now_) { end(); }
    }

    // 0: none that the server knows of just now.
    [[nodiscard]] std::uint64_t last_for_us(const stream_extent& stream) const {
        if (subject_.empty()) { return stream.last; }
        natsMsg* raw = nullptr;
        const auto status = js_GetLastMsg(&raw, context_.get(), with_.stream.c_str(),
                                          subject_.c_str(), nullptr, nullptr);
        const message_handle message{raw};
        return status == NATS_OK ? natsMsg_GetSequence(raw) : 0;
    }

    void take() {
        std::vector<delivered> done;  // to acknowledge once all before is in the ring
        for (const auto& each : fetched_) {
            if (over_now_) { break; }
            auto* const message = each.get();
            const char* reply = natsMsg_GetReply(message);
            const auto at = reply != nullptr ? place_in(reply) : std::nullopt;
            if (!at) { continue; }
            // Without partitions the stream's own numbers tell, too.
            const bool in_step = at->delivery == last_delivery_ + 1;
            const bool gap = at->sequence > passed_ + 1 && subject_.empty();
            if ((!in_step || gap) && !fill(at->sequence, in_step)) { return; }
            if (over_now_) { break; }
            last_delivery_ = at->delivery;
            if (at->sequence > passed_) {
                if (!pass(message, at->sequence)) { return; }
            } else {
                ++done_.duplicates;
            }
            done.push_back({at->sequence, reply});
        }
        if (!sink_.flush()) { return; }
        if (watches_limits_) { miss_what_was_removed(); }
        joiner_.give_up_before(passed_ - std::min(passed_, patience_for_parts));
        mark_losses();
        if (over_now_) { end(); }
        if (acknowledges_each_) {
            acknowledge_each(done);
        } else {
            acknowledge_all(done);
        }
    }

    // A partition's numbers have gaps, so only this tells what its stream's limits removed unread: that
    // the stream begins behind where we had been when nothing of ours was left to read. It may have
    // been read just before it went, so this misses nothing, and may miss it too soon.
    void miss_what_was_removed() {
        const auto has = extent_of(over_, context_.get(), with_.stream);
        if (!has) { return; }
        if (has->first > sure_ + 1) { miss(1); }
        sure_ = passed_;
    }

    void note_all_read() {
        const auto has = extent_of(over_, context_.get(), with_.stream);
        const auto left = unfinished_of(context_.get(), with_.stream, with_.consumer);
        if (has && left && *left == 0) { sure_ = has->last; }
    }

    // But for the parts of a message that is not whole yet: those when it is.
    void acknowledge_each(const std::vector<delivered>& done) {
        std::erase_if(parts_, [this](const auto& part) {
            if (joiner_.holds(part.first)) { return false; }
            from_.acknowledge(part.second.c_str());
            return true;
        });
        for (const auto& one : done) {
            if (joiner_.holds(one.sequence)) {
                parts_.emplace_back(one.sequence, one.reply);
            } else {
                from_.acknowledge(one.reply);
            }
        }
    }

    // One speaks for all before it, also for those of an earlier call.
    void acknowledge_all(const std::vector<delivered>& done) {
        const delivered* last = nullptr;
        for (const auto& one : done) {
            if (one.sequence < joiner_.first_held() &&
                (last == nullptr || one.sequence > last->sequence)) {
                last = &one;
            }
        }
        if (last != nullptr) { from_.acknowledge(last->reply); }
    }

    // All of the stream between what has passed and `until`. `in_step`: JetStream has counted nothing
    // in between, so what is not found there was removed. False: a stop was requested.
    bool fill(std::uint64_t until, bool in_step) {
        not_found_since_.reset();
        while (passed_ + 1 < until && !over_now_) {
            if (stop_requested()) { return false; }
            natsMsg* raw = nullptr;
            jsErrCode code{};
            const auto wanted = passed_ + 1;
            const auto status =
                js_GetMsg(&raw, context_.get(), with_.stream.c_str(), wanted, nullptr, &code);
            const message_handle message{raw};
            if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr) {
                if (wanted <= sink_.committed()) {
                    passed_ = wanted;  // the ring has it
                } else if (in_step) {
                    // Nobody has read it: it was removed, or the server has lost it.
                    if (wanted > acknowledged_) { miss(1); }
                    passed_ = wanted;
                } else if (is_deleted(wanted)) {
                    passed_ = wanted;
                } else {
                    pause_for(tick);
                }
            } else if (status != NATS_OK) {
                over_.check();
                not_found_since_.reset();
                pause_for(tick);
            } else if (!subject_.empty() && subject_ != natsMsg_GetSubject(raw)) {
                passed_ = wanted;
            } else {
                if (!pass(raw, wanted)) { return false; }
                // Its bytes lie in `raw`.
                if (!sink_.flush()) { return false; }
            }
        }
        return true;
    }

    // Counted as missing, unless it is a work queue's and so acknowledged. A server that has just
    // become the stream's leader may not have yet what another has delivered: only what is asked for
    // two seconds after the first that was not found, and lies within what the stream says it has, is
    // gone.
    bool is_deleted(std::uint64_t sequence) {
        if (!not_found_since_) { not_found_since_ = clock::now(); }
        const auto has = extent_of(over_, context_.get(), with_.stream);
        if (!has || sequence > has->last) { return false; }
        if (sequence >= has->first && clock::now() < *not_found_since_ + 2s) { return false; }
        if (!has->removes_what_was_read && sequence > acknowledged_) { miss(1); }
        return true;
    }

    // Whether an end at that place is behind us: it was acknowledged, or it was told to the ring, which
    // has all before it, and we were killed in between. The very last is told again: the ring has all,
    // and whoever waits for its end may not have seen it.
    [[nodiscard]] bool was_told(std::uint64_t place) const {
        if (place > acknowledged_ && !sink_.had_ended()) { return false; }
        const auto has = extent_of(over_, context_.get(), with_.stream);
        return has && last_for_us(*has) > place;
    }

    // False: a stop was requested.
    bool pass(natsMsg* message, std::uint64_t at) {
        std::optional<envelope> about;
        const char* text = nullptr;
        if (natsMsgHeader_Get(message, header_name, &text) == NATS_OK && text != nullptr) {
            about = parse_header(text);
        }
        const std::span payload{reinterpret_cast<const std::byte*>(natsMsg_GetData(message)),
                                static_cast<std::size_t>(natsMsg_GetDataLength(message))};
        if (about && !about->end.empty()) {
            passed_ = at;
            if (with_.follow || was_told(at)) { return true; }
            over_now_ = true;
            done_.why = about->end == "truncated" ? ending::truncated : ending::clean;
            return true;
        }
        if (about && about->parts != 1) {
            auto whole = joiner_.add(*about, payload, at, at > sink_.committed());
            if (whole && at > sink_.committed()) {
                add(*whole, at);
                if (!sink_.flush()) { return false; }
            }
            passed_ = at;
            return true;
        }
        if (at <= sink_.committed()) {
            ++done_.duplicates;  // the last `in` was killed before it could acknowledge it
        } else {
            add(payload, at);
            if (sink_.is_full() && !sink_.flush()) { return false; }
        }
        passed_ = at;
        return true;
    }

    void add(std::span<const std::byte> payload, std::uint64_t id) {
        // It was not in the ring: so what the server says was acknowledged, was not.
        acknowledged_ = std::min(acknowledged_, id - 1);
        sink_.add(payload, id);
    }

    // Before its acknowledgement: if we are killed in between, it is told again.
    void end() {
        // Nor is a stream whole that lost something on its way.
        joiner_.give_up_before(std::numeric_limits<std::uint64_t>::max());
        if (done_.missing + joiner_.left_out() > 0) { done_.why = ending::truncated; }
        mark_losses();
        sink_.end(done_.why == ending::clean);
    }

    const std::string ring_name_;
    const connection& over_;
    const in_options& with_;
    const teller& tell_;
    const pass_counter& count_;
    handle<jsCtx, jsCtx_Destroy> context_;
    puller from_;
    std::vector<message_handle> fetched_;
    std::string subject_;  // of our partition; empty: all
    // Before we are in the ring: what fails so far leaves no mark there.
    const consumer_place start_;
    const pass_counter passed_on_ = [this](std::uint64_t messages, std::uint64_t bytes) {
        if (messages != 0) { over_.note().passed(messages, bytes); }
        count_(messages, bytes);
    };
    ring_sink sink_;
    joiner joiner_;
    bool acknowledges_each_ = true;
    // Where the acknowledgements of held parts go to, by their number in the stream.
    std::vector<std::pair<std::uint64_t, std::string>> parts_;
    std::uint64_t acknowledged_ = 0;  // to JetStream, when we came, as it says
    std::uint64_t passed_ = 0;        // all of the stream up to here is in the ring, or held
    bool watches_limits_ = false;
    std::uint64_t sure_ = 0;  // up to here nothing of our partition was removed unread
    std::optional<clock::time_point> not_found_since_;  // of what is being filled
    std::uint64_t last_delivery_ = 0;                   // 0: none; a new consumer's first is 1
    bool over_now_ = false;
    unsigned failures_ = 0;
    unsigned idle_ = 0;
    transfer done_;
};

}  // namespace

transfer run_in(const ring& to, const connection& over, const in_options& with, const teller& tell,
                const pass_counter& count) {
    receiver bridge{to, over, with, tell, count};
    return bridge.run();
}

}  // namespace ringpipe::bridge
