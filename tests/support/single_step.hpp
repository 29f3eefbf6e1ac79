// A child process that its parent runs one instruction at a time, and kills wherever it likes.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>

namespace ringpipe::test {

// A page that the child and its parent share. The counts are told by the child as it goes, so the
// parent knows at every instruction what the child has been promised so far.
struct notes {
    enum : std::uint32_t { before, inside, behind };
    std::atomic<std::uint32_t> phase;
    std::atomic<std::uint32_t> returned;       // sends (or whatever the operation is) that returned
    std::atomic<std::uint32_t> received;       // messages, from the front
    std::atomic<std::uint32_t> acknowledging;  // the acknowledgement up to here has been called
    std::atomic<std::uint32_t> acknowledged;   // and has returned
};

// Where the interesting part begins and ends. In a rehearsal it only counts.
class marks {
  public:
    marks(notes& where, bool rehearsal) : where_{where}, rehearsal_{rehearsal} {}

    void begin() const;
    // Never returns, but in a rehearsal.
    void end() const;

    [[nodiscard]] notes& note() const { return where_; }

  private:
    notes& where_;
    bool rehearsal_;
};

class stepped_child {
  public:
    // Forks. The child runs `body` and stops where it marks the begin.
    explicit stepped_child(const std::function<void(notes&)>& body);
    stepped_child(const stepped_child&) = delete;
    stepped_child& operator=(const stepped_child&) = delete;
    // SIGKILL, and waits until the kernel has let go of everything.
    ~stepped_child();

    // Runs it up to the first instruction behind the begin mark. False: it ended before.
    [[nodiscard]] bool to_begin();
    // One instruction. False: it has come to the end mark, or ended.
    [[nodiscard]] bool step();
    void kill();

    [[nodiscard]] const notes& note() const { return *notes_; }
    // The next instruction, or 0 where that is not known how to ask.
    [[nodiscard]] std::uint64_t next_instruction() const;
    // It has come to the end mark; else it died of something.
    [[nodiscard]] bool came_to_the_end() const { return notes_->phase == notes::behind; }

  private:
    notes* notes_;
    pid_t pid_ = -1;
    bool running_ = true;
};

// Null if one may; else why not.
[[nodiscard]] const char* why_no_single_steps();

}  // namespace ringpipe::test
