#include "pipeline/stage/lockstep.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "pipeline/say.hpp"
#include "pipeline/stage/answers.hpp"
#include "pipeline/stage/descriptor.hpp"
#include "pipeline/stage/filter.hpp"
#include "shm/consumer.hpp"
#include "shm/producer.hpp"

namespace ringpipe::pipeline::stage {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_ahead = 256 << 10;  // bytes that wait for the filter to read them
constexpr int look_for_end = 100;              // ms
constexpr auto before_hint = 5s;               // of a filter that does not answer

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
          to_{ring::open(what.to.value())},
          in_{ring::open(what.from.value()), as_consumer(what)},
          out_{to_, as_producer(what)},
          filter_{what.command, what.label, {}} {
        set_nonblocking(filter_.out());
    }

    int run() {
        while (!input_ended_ || !asked_.empty()) {
            ask();
            exchange();
            if (output_ended_) { return ended_early(); }
        }
        filter_.close_in();
        while (!output_ended_) { exchange(); }
        const int code = filter_.wait();
        in_.close();
        out_.close();
        return code;
    }

  private:
    // Whole messages, as far as the lease goes: the filter finds the next one when it has
    // answered the one before.
    void ask() {
        while (!input_ended_ && unsent_.size() - sent_ < most_ahead) {
            if (!asked_.empty() && !in_.at_hand()) { return; }
            // Not for ever: the filter may end meanwhile.
            const auto message = in_.receive_for(std::chrono::milliseconds{look_for_end});
            if (message.status() == receive_status::timed_out) { return; }
            if (!message) {
                // Truncated, too: the launcher knows who died, and says so.
                input_ended_ = true;
                return;
            }
            if (sent_ == unsent_.size()) {
                unsent_.clear();
                sent_ = 0;
            }
            const auto text = message.text();
            auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
            unsent_ += text;
            if (!text.ends_with('\n')) {
                unsent_ += '\n';
                ++lines;
            }
            if (asked_.empty()) { last_answer_ = clock::now(); }
            asked_.push_back({message.end(), lines, begin_answer(message.sequence())});
        }
    }

    // Both ways, whichever is ready.
    void exchange() {
        const bool writing = sent_ < unsent_.size();
        std::array<pollfd, 2> ready{{{filter_.out(), POLLIN, 0}, {filter_.in(), POLLOUT, 0}}};
        const bool idle = asked_.empty() && !input_ended_;
        (void)::poll(ready.data(), writing ? 2 : 1, idle ? 0 : look_for_end);
        if (writing && ready[1].revents != 0) { write(); }
        if (ready[0].revents != 0) {
            read();
        } else {
            hint();
        }
    }

    void write() {
        const auto count =
            ::write(filter_.in(), unsent_.data() + sent_, unsent_.size() - sent_);
        if (count > 0) {
            sent_ += static_cast<std::size_t>(count);
        } else if (errno == EPIPE) {
            sent_ = unsent_.size();  // the end of its output tells the rest
        } else if (errno != EAGAIN && errno != EINTR) {
            throw error{errc::io, what_.label + ": cannot write to the filter", errno};
        }
    }

    void read() {
        const auto count = ::read(filter_.out(), part_.data(), part_.size());
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
        while (!text.empty()) {
            if (asked_.empty()) {
                throw error{errc::malformed_input,
                            what_.label + ": the filter gave more lines than it was given; "
                                          "--lockstep needs one for each"};
            }
            auto& first = asked_.front();
            const auto at = text.find('\n');
            const auto size = at == std::string_view::npos ? text.size() : at + 1;
            first.answer += text.substr(0, size);
            text.remove_prefix(size);
            if (at != std::string_view::npos && --first.lines == 0) { answered(); }
        }
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

    int ended_early() {
        const int code = filter_.wait();
        if (code != 0) { return code; }
        throw error{errc::malformed_input,
                    fmt::format("{}: the filter ended before {}; --lockstep needs one that answers "
                                "each line with one line, to the end",
                                what_.label,
                                asked_.empty() ? "its input did" : "it had answered every line")};
    }

    const options& what_;
    ring to_;
    consumer in_;
    producer out_;
    filter filter_;
    std::deque<question> asked_;
    std::string unsent_;
    std::size_t sent_ = 0;
    std::array<char, 65536> part_{};
    clock::time_point last_answer_ = clock::now();
    bool input_ended_ = false;
    bool output_ended_ = false;
    bool hinted_ = false;
};

}  // namespace

int run_lockstep(const options& what) { return lockstep{what}.run(); }

}  // namespace ringpipe::pipeline::stage
