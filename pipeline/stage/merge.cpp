#include "pipeline/stage/merge.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/shutdown.hpp"
#include "pipeline/stage/answers.hpp"
#include "pipeline/stage/descriptor.hpp"
#include "pipeline/stage/send_frames.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::pipeline::stage {
namespace {

struct nobody_reads {};

using output = std::function<void(std::string_view, question_number)>;

consumer_options in_group(const std::string& group, const options& what) {
    consumer_options how;
    how.group = group;
    how.wait = wait_strategy::block;
    how.max_attempts = 0;
    how.name = what.label;
    return how;
}

// In the order of their questions, which stand in their ring until the answers have passed: what is
// kept here in memory is no more than the answers to what that ring holds, and if all is killed,
// they are asked again.
class in_order {
  public:
    // A killed predecessor's lease begins with the first question whose answer has not passed. Who
    // joins is given it before anything else, so the order is kept.
    explicit in_order(const options& what)
        : questions_{ring::open(what.questions), in_group(what.passed, what)} {}

    void take(const answer& next, const output& pass) {
        if (next.number < floor_) { return; }
        early_.try_emplace(next.number, next.text);
        while (!early_.empty() && early_.begin()->first == first_question()) {
            pass(early_.begin()->second, floor_);
            questions_.acknowledge(question_);
            question_ = {};
            ++floor_;
            early_.erase(early_.begin());
        }
    }

    void finish(const output& pass) {
        for (const auto& [number, text] : early_) { pass(text, number); }
    }

  private:
    // Its number, without a wait: there is an answer, so it is there. Numbers may be missing, if
    // one who asked was killed.
    question_number first_question() {
        if (!question_) {
            question_ = questions_.receive();
            if (!question_) { return ~question_number{0}; }
            floor_ = question_.sequence();
            early_.erase(early_.begin(), early_.lower_bound(floor_));
        }
        return floor_;
    }

    consumer questions_;
    message question_;  // the first whose answer has not passed
    question_number floor_ = 0;
    std::map<question_number, std::string> early_;
};

// As they come, each once. The numbers are dense: all below floor_ were seen.
class once_each {
  public:
    void take(const answer& next, const output& pass) {
        if (next.number < floor_ || !above_.insert(next.number).second) { return; }
        pass(next.text, next.number);
        while (!above_.empty() && *above_.begin() == floor_) {
            above_.erase(above_.begin());
            ++floor_;
        }
    }

  private:
    question_number floor_ = 0;
    std::set<question_number> above_;
};

void merge(const options& what, consumer& in, const output& pass) {
    std::optional<in_order> ordered;
    if (what.keep_order) { ordered.emplace(what); }
    once_each unordered;
    while (const auto message = in.receive()) {
        if (!what.numbered) {
            pass(message.text(), 0);
        } else if (ordered) {
            ordered->take(read_answer(message.text()), pass);
        } else {
            unordered.take(read_answer(message.text()), pass);
        }
        in.acknowledge(message);
    }
    if (ordered) { ordered->finish(pass); }
}

}  // namespace

int run_merge(const options& what) {
    std::optional<ring> to;
    std::optional<producer> out;
    output pass;
    static const std::atomic<bool> never_stopped{false};
    if (what.to) {
        to = ring::open(*what.to);
        producer_options how;
        how.name = what.label;
        how.wait = wait_strategy::block;
        const bool exact = what.resumable && what.keep_order;
        if (exact) { how.resume = what.label; }
        out.emplace(*to, how);
        const auto most = exact ? most_with_id(*to) : to->max_message_size();
        const auto passed_below = exact ? out->last_id().value_or(0) : 0;
        pass = [&, exact, most, passed_below](std::string_view text, question_number number) {
            if (number < passed_below) { return; }
            if (text.size() > most) {
                throw error{errc::message_too_large,
                            fmt::format("{}: {} bytes of lines do not fit into the next ring; give "
                                        "a larger --capacity",
                                        what.label, text.size())};
            }
            const auto bytes = std::as_bytes(std::span{text});
            exact ? out->send(bytes, number + 1) : out->send(bytes);
        };
    } else {
        pass = [pace = pacing{}](std::string_view text, question_number) mutable {
            const auto went = write_all(STDOUT_FILENO, text, never_stopped, pace);
            if (went.result != write_result::done) { throw nobody_reads{}; }
        };
    }
    consumer in{ring::open(what.from.value()), in_group(what.group, what)};
    try {
        merge(what, in, pass);
    } catch (const nobody_reads&) { return exit_code_for_signal(SIGPIPE); }
    if (out) { out->close(); }
    return 0;
}

}  // namespace ringpipe::pipeline::stage
