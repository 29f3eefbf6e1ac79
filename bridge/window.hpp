// What `bridge out` has received from its ring and not yet acknowledged there: how far each message
// is on its way into the stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "bridge/publisher.hpp"
#include "common/deadline.hpp"
#include "shm/consumer.hpp"

namespace ringpipe::bridge {

// In the order of the ring; published from its front on, acknowledged as a prefix. One thread.
class window {
  public:
    struct entry {
        message what;             // of the ring, unless it is an end
        std::uint32_t parts = 1;  // in which it is published
        std::uint32_t stored = 0;
        bool is_end = false;
        bool truncated = false;       // that end
        std::uint32_t partition = 0;  // of that end
        bool asks_for_each = false;   // every part is answered
        clock::time_point stored_at{};
        std::uint64_t number = 0;  // in the stream, if it was answered

        [[nodiscard]] bool is_stored() const { return stored >= parts; }
    };

    // `settle`: how long a message stays after it was stored. `each_for_itself`: nothing follows for
    // a message from what was stored behind it. `confirmed`: it stays until confirm(), too.
    void configure(clock::duration settle, bool each_for_itself, bool confirmed);

    void add(const message& got, std::uint32_t parts);
    void add_end(bool truncated, std::uint32_t partition);

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] std::size_t unstored() const { return entries_.size() - stored_; }
    [[nodiscard]] std::uint64_t unstored_bytes() const { return bytes_ - stored_bytes_; }

    [[nodiscard]] std::size_t unpublished() const { return entries_.size() - next_; }
    // The next to be published, which there is; it is, once advance() is called.
    [[nodiscard]] entry& next() { return entries_[next_]; }
    [[nodiscard]] std::uint64_t next_tag() const { return first_ + next_; }
    // It may have been sent before, or nothing follows for it from others: its own answer is needed.
    [[nodiscard]] bool next_needs_answer() const;
    void advance() { ++next_; }

    // What the stream has said. False: it leaves open whether those are stored that it should speak
    // for.
    bool note_stored(const publisher::answer& one);

    // The first has stayed for its time, and confirm() is what it waits for.
    [[nodiscard]] bool awaits_confirmation() const;
    // At `when` the stream had the numbers up to `last`. False: those that should have settled are not
    // all among them.
    bool confirm(clock::time_point when, std::uint64_t last);

    struct prefix {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;
        std::uint64_t end = 0;  // of the last of them, in the ring
        bool was_all = false;   // and the stream's end has settled, too
    };
    // Those at the front that have settled; they are no longer here.
    prefix take_settled();

    // All is to be published again: what is stored all the same is recognised by its id, and only by
    // its own answer. Returns how many had been published.
    std::size_t start_over();

  private:
    [[nodiscard]] bool has_settled(const entry& one) const;

    clock::duration settle_{};
    bool each_for_itself_ = false;
    bool confirmed_ = false;
    clock::time_point confirmed_at_{};
    std::deque<entry> entries_;
    std::uint64_t first_ = 0;           // the tag of entries_.front()
    std::size_t next_ = 0;              // to publish, of entries_
    std::size_t stored_ = 0;            // all of entries_ before this one
    std::uint64_t bytes_ = 0;           // of the payloads of entries_
    std::uint64_t stored_bytes_ = 0;    // of those before stored_
    std::uint64_t ask_each_until_ = 0;  // a tag: those before it may have been sent before
};

}  // namespace ringpipe::bridge
