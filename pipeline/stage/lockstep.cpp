#include "pipeline/stage/lockstep.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "pipeline/say.hpp"
#include "pipeline/stage/answers.hpp"
#include "pipeline/stage/descriptor.hpp"
#include "pipeline/stage/filter.hpp"
#include "pipeline/stage/frames.hpp"
#include "pipeline/stage/retirement.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::pipeline::stage {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_ahead = 256 << 10;  // bytes that wait for the filter to read them
constexpr int look_for_end = 100;              // ms
constexpr auto before_flush = 1s;              // of a filter that does not answer
constexpr auto before_hint = 5s;

struct question {
    std::uint64_t end;  // of its message
    std::size_t lines;  // not answered yet
    std::string answer;
};

consumer_options as_consumer(const options& what) {
    consumer_options how;
    how.prefetch = 8;
    how.wait = wait_strategy::block;
    how.max_attempts = 0;
    how.group = what.group;
    how.name = what.label;
    return how;
}

producer_options as_producer(const options& what) {
    producer_options how;
    how.name = what.label;
    how.wait = wait_strategy::block;
    return how;
}

class lockstep {
  public:
    explicit lockstep(const options& what)
        : what_{what},
          from_{ring::open(what.from.value())},
          to_{ring::open(what.to.value())},
          in_{from_, as_consumer(what)},
          out_{to_, as_producer(what)} {}

    // Mostly one filter to the end; see flush().
    int run() {
        bool wait_for_message = what_.when_needed;
        while (!input_ended_ && !retired()) {
            if (wait_for_message && !wait_for_work(in_)) { break; }
            if (const int code = run_filter(); code != 0) { return code; }
            wait_for_message = true;
        }
        in_.close();
        out_.close();
        return 0;
    }

  private:
    int run_filter() {
        filter_.emplace(what_.command, what_.label, filter::pipes{});
        set_nonblocking(filter_->out());
        begun_.clear();
        output_ended_ = false;
        closed_ = false;
        while (!output_ended_) {
            // Who retires has no time to wait for answers that are kept back: see flush().
            if (input_ended_ ? asked_.empty() : retired() && all_sent()) { close_input(); }
            ask();
            exchange();
        }
        const int code = filter_->wait();
        if (code == 0 && (!asked_.empty() || !closed_)) { ended_early(); }
        return code;
    }

    void close_input() {
        filter_->close_in();
        closed_ = true;
    }

    [[nodiscard]] bool all_sent() const { return sent_ == unsent_.size(); }

    // Whole messages, as far as the lease goes: the filter finds the next one when it has
    // answered the one before.
    void ask() {
        while (!input_ended_ && !closed_ && !retired() && unsent_.size() - sent_ < most_ahead) {
            if (!asked_.empty() && !in_.at_hand()) { return; }
            // Not for ever: the filter may end meanwhile.
            const auto message = in_.receive_for(std::chrono::milliseconds{look_for_end});
            if (message.status() == receive_status::timed_out) { return; }
            if (!message) {
                // Truncated, too: the launcher knows who died, and says so.
                input_ended_ = true;
                return;
            }
            if (all_sent()) {
                unsent_.clear();
                sent_ = 0;
            }
            const auto text = message.text();
            auto lines = cut_.count(text);
            unsent_ += text;
            if (const auto end = cut_.delimiter(); end && !text.ends_with(*end)) {
                unsent_ += *end;
                ++lines;
            }
            if (asked_.empty()) { last_answer_ = clock::now(); }
            asked_.push_back({message.end(), lines, begin_answer(message.sequence())});
        }
    }

    // Both ways, whichever is ready.
    void exchange() {
        const bool writing = !all_sent();
        std::array<pollfd, 2> ready{{{filter_->out(), POLLIN, 0}, {filter_->in(), POLLOUT, 0}}};
        const bool idle = asked_.empty() && !input_ended_ && !closed_;
        (void)::poll(ready.data(), writing ? 2 : 1, idle ? 0 : look_for_end);
        if (writing && ready[1].revents != 0) { write(); }
        if (ready[0].revents != 0) {
            read();
        } else {
            flush();
            hint();
        }
    }

    // Some filters keep answers back until their input ends, and our input does not end while
    // another copy of such a filter keeps its answers back. What comes here after all, because that
    // copy has died, is for a new filter.
    void flush() {
        if (closed_ || asked_.empty() || !all_sent() ||
            clock::now() - last_answer_ < before_flush) {
            return;
        }
        if (from_.status().producers == 0 && !in_.at_hand()) { close_input(); }
    }

    void write() {
        const auto count = ::write(filter_->in(), unsent_.data() + sent_, unsent_.size() - sent_);
        if (count > 0) {
            sent_ += static_cast<std::size_t>(count);
        } else if (errno == EPIPE) {
            sent_ = unsent_.size();  // the end of its output tells the rest
        } else if (errno != EAGAIN && errno != EINTR) {
            throw error{errc::io, what_.label + ": cannot write to the filter", errno};
        }
    }

    void read() {
        const auto count = ::read(filter_->out(), part_.data(), part_.size());
        if (count < 0) {
            if (errno == EAGAIN || errno == EINTR) { return; }
            throw error{errc::io, what_.label + ": cannot read from the filter", errno};
        }
        if (count == 0) {
            output_ended_ = true;
            return;
        }
        last_answer_ = clock::now();
        take({part_.data(), static_cast<std::size_t>(count)});
    }

    void take(std::string_view text) {
        begun_ += text;
        std::string_view rest = begun_;
        while (const auto size = cut_.first(rest)) {
            if (asked_.empty()) { too_many(); }
            auto& first = asked_.front();
            first.answer += rest.substr(0, size);
            rest.remove_prefix(size);
            if (--first.lines == 0) { answered(); }
        }
        if (!rest.empty() && asked_.empty()) { too_many(); }
        begun_.erase(0, begun_.size() - rest.size());
    }

    [[noreturn]] void too_many() const {
        throw error{errc::malformed_input,
                    what_.label +
                        ": the filter gave more lines than it was given; --lockstep "
                        "needs one for each"};
    }

    void answered() {
        const auto& first = asked_.front();
        if (first.answer.size() > to_.max_message_size()) {
            throw error{errc::message_too_large,
                        fmt::format("{}: the answers to one message are {} bytes, and the ring "
                                    "takes {}; give a larger --capacity or a smaller --block",
                                    what_.label, first.answer.size(), to_.max_message_size())};
        }
        out_.send(std::as_bytes(std::span{first.answer}));
        // Killed here, the question is asked again, and the second answer dropped by its number.
        in_.acknowledge_to(first.end);
        asked_.pop_front();
    }

    void hint() {
        if (hinted_ || asked_.empty() || clock::now() - last_answer_ < before_hint) { return; }
        hinted_ = true;
        say("{}: no answer for {} s; if the filter keeps its output back, let it flush each line "
            "(sed -u, grep --line-buffered, stdbuf -oL)",
            what_.label, before_hint.count());
    }

    [[noreturn]] void ended_early() {
        throw error{errc::malformed_input,
                    fmt::format("{}: the filter ended before {}; --lockstep needs one that answers "
                                "each line with one line, to the end",
                                what_.label,
                                asked_.empty() ? "its input did" : "it had answered every line")};
    }

    const options& what_;
    const frames cut_{what_.frame};
    ring from_;
    ring to_;
    consumer in_;
    producer out_;
    std::optional<filter> filter_;
    std::deque<question> asked_;
    std::string unsent_;
    std::size_t sent_ = 0;
    std::string begun_;  // of an answer's line
    std::array<char, 65536> part_{};
    clock::time_point last_answer_ = clock::now();
    bool input_ended_ = false;
    bool output_ended_ = false;
    bool closed_ = false;  // the filter's input
    bool hinted_ = false;
};

}  // namespace

int run_lockstep(const options& what) { return lockstep{what}.run(); }

}  // namespace ringpipe::pipeline::stage
