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
#include "shm/consumer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::pipeline::stage {
namespace {

struct nobody_reads {};

using output = std::function<void(std::string_view)>;

// In the order of their numbers, which begin with 0.
class in_order {
  public:
    void take(const answer& next, const output& pass) {
        if (next.number < expected_) { return; }
        if (next.number > expected_) {
            early_.try_emplace(next.number, next.text);
            return;
        }
        pass(next.text);
        ++expected_;
        while (!early_.empty() && early_.begin()->first == expected_) {
            pass(early_.begin()->second);
            early_.erase(early_.begin());
            ++expected_;
        }
    }

    void finish(const output& pass) {
        for (const auto& [number, text] : early_) { pass(text); }
    }

  private:
    question_number expected_ = 0;
    std::map<question_number, std::string> early_;
};

// As they come, each once. The numbers are dense: all below floor_ were seen.
class once_each {
  public:
    void take(const answer& next, const output& pass) {
        if (next.number < floor_ || !above_.insert(next.number).second) { return; }
        pass(next.text);
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
    in_order ordered;
    once_each unordered;
    while (const auto message = in.receive()) {
        if (!what.numbered) {
            pass(message.text());
        } else if (what.keep_order) {
            ordered.take(read_answer(message.text()), pass);
        } else {
            unordered.take(read_answer(message.text()), pass);
        }
        in.acknowledge(message);
    }
    ordered.finish(pass);
}

}  // namespace

int run_merge(const options& what) {
    std::optional<ring> to;
    std::optional<producer> out;
    output pass;
    static const std::atomic<bool> never_stopped{false};
    if (what.to) {
        to = ring::open(*what.to);
        out.emplace(*to, producer_options{.name = what.label, .wait = wait_strategy::block});
        pass = [&](std::string_view text) {
            if (text.size() > to->max_message_size()) {
                throw error{errc::message_too_large,
                            fmt::format("{}: {} bytes of lines do not fit into the next ring; give "
                                        "a larger --capacity",
                                        what.label, text.size())};
            }
            out->send(std::as_bytes(std::span{text}));
        };
    } else {
        pass = [](std::string_view text) {
            const auto went = write_all(STDOUT_FILENO, text, never_stopped);
            if (went.result != write_result::done) { throw nobody_reads{}; }
        };
    }
    consumer_options how;
    how.wait = wait_strategy::block;
    how.max_attempts = 0;
    how.group = what.group;
    how.name = what.label;
    consumer in{ring::open(what.from.value()), how};
    try {
        merge(what, in, pass);
    } catch (const nobody_reads&) { return exit_code_for_signal(SIGPIPE); }
    if (out) { out->close(); }
    return 0;
}

}  // namespace ringpipe::pipeline::stage
