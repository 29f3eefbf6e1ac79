// Publishes asynchronously, and collects what the stream has said about it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "bridge/connection.hpp"
#include "bridge/wire.hpp"

namespace ringpipe::bridge {

// One thread at a time, beside those of cnats that bring the answers.
class publisher {
  public:
    // How long the stream may take for an answer before it counts as a failure.
    static constexpr std::int64_t answer_ms = 5000;

    explicit publisher(const connection& over);
    publisher(const publisher&) = delete;
    publisher& operator=(const publisher&) = delete;
    ~publisher();

    // `tag` comes back with the answer. With `after` the stream takes it only directly behind the
    // message of that id. False: cnats would not even take it, there will be no answer.
    bool publish(const std::string& subject, std::span<const std::byte> payload,
                 const envelope& about, const std::string& after, std::uint64_t tag);

    struct answer {
        std::uint64_t tag;
        bool stored;
        bool duplicate;
        int code;           // of JetStream, if not stored
        natsStatus status;  // of cnats, if not stored
    };
    // All that have come; waits for at most `timeout` if there is none.
    const std::vector<answer>& answers(std::chrono::milliseconds timeout);

    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
    [[nodiscard]] jsCtx* context() const { return context_.get(); }

  private:
    struct raw_answer {
        const natsMsg* message;
        answer what;
    };
    struct flight {
        const natsMsg* message;
        std::uint64_t tag;
        bool over;
    };
    static void on_answer(jsCtx*, natsMsg* message, jsPubAck* stored, jsPubAckErr* problem,
                          void* closure);
    void resolve(raw_answer& one);

    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<raw_answer> came_in_;  // guarded by mutex_
    bool waits_ = false;               // guarded by mutex_
    std::vector<raw_answer> taken_;
    std::vector<answer> answers_;
    std::deque<flight> flights_;
    std::size_t in_flight_ = 0;
    handle<jsCtx, jsCtx_Destroy> context_;
};

}  // namespace ringpipe::bridge
