// Publishes asynchronously, and collects what the stream has said about it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/connection.hpp"
#include "bridge/wire.hpp"

namespace ringpipe::bridge {

// One thread at a time. cnats has a form of its own of asynchronous publishing; that one destroys a
// message whose time is over even while it is still being written to a slow server (3.4), and has
// an answer for every message. Here a message is ours alone until it is written, and only those
// that ask are answered.
class publisher {
  public:
    // How long the stream may take for an answer before it counts as a failure.
    static constexpr std::chrono::seconds answer_time{5};

    // Who gets the answer: an entry of the caller's, and which part of it.
    struct question {
        std::uint64_t tag = 0;
        std::uint32_t part = 0;
    };

    explicit publisher(const connection& over);

    // From now on each message takes whole units of the stream (padding.hpp); 0: as it comes.
    void set_unit(std::uint64_t bytes) { unit_ = bytes; }

    // On what condition the stream takes a message: none, or that its last one is the one that was
    // published just before, known by its id or by its number.
    enum class place { anywhere, behind_last_id, behind_last_number };

    // The stream answers if `ask`. False: it was not sent, and there will be no answer.
    bool publish(const std::string& subject, std::span<const std::byte> payload,
                 const envelope& about, place where, question from, bool ask);

    struct answer {
        question of;
        bool stored = false;
        bool duplicate = false;    // it was stored before
        std::uint64_t number = 0;  // in the stream, if stored
        std::string why = {};      // if not stored
    };
    // All that have come; waits for at most `timeout` if there is none. Throws if the connection is
    // closed for good.
    const std::vector<answer>& answers(std::chrono::milliseconds timeout);

    // Which number in the stream what was published last has; those published from now on count on.
    void set_last_number(std::uint64_t number) { last_number_ = number; }

    [[nodiscard]] std::size_t in_flight() const { return flights_.size(); }
    [[nodiscard]] jsCtx* context() const { return context_.get(); }

  private:
    struct flight {
        std::uint64_t number;  // never used twice: an answer that comes too late fits none
        question of;
        std::chrono::steady_clock::time_point until;
    };
    [[nodiscard]] std::uint64_t size_of(std::size_t subject, std::size_t payload,
                                        const char* condition) const;
    bool take(std::chrono::milliseconds timeout);
    void give_up_the_late();

    const connection& over_;
    handle<jsCtx, jsCtx_Destroy> context_;
    std::string inbox_;  // answers come to inbox_.NUMBER
    handle<natsSubscription, natsSubscription_Destroy> replies_;
    std::uint64_t unit_ = 0;
    // Kept from message to message for their memory.
    std::string header_;
    std::string id_;
    std::string last_id_;
    std::string condition_;
    std::string reply_;
    std::uint64_t last_number_ = 0;
    std::uint64_t asked_ = 0;
    std::deque<flight> flights_;  // in the order of their sending
    std::vector<answer> answers_;
};

// What the stream says about a message: {"stream": ..., "seq": ...} or {"error": {...}, ...}.
[[nodiscard]] publisher::answer read_answer(std::string_view json);

}  // namespace ringpipe::bridge
