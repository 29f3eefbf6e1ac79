// Which messages are finished, in whatever order that happens; only the prefix counts.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "ringpipe/shm/message.hpp"

namespace ringpipe {

// Each entry is one message, or one batch that is finished as a whole.
class finished_prefix {
  public:
    enum class fate : std::uint8_t { open, done, returned };

    struct entry {
        std::uint64_t end = 0;  // of its last message, in the stream
        fate what = fate::open;
        std::vector<message> given_back;  // for `returned`
    };

    // Names what was received, in that order.
    std::uint64_t add(std::uint64_t end) {
        entries_.push_back({end, fate::open, {}});
        return first_ + entries_.size() - 1;
    }

    void finish(std::uint64_t ticket, fate what, std::vector<message> given_back = {}) {
        auto& one = entries_[ticket - first_];
        one.what = what;
        one.given_back = std::move(given_back);
    }

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] entry& front() { return entries_.front(); }
    [[nodiscard]] bool first_is(fate what) const {
        return !entries_.empty() && entries_.front().what == what;
    }
    void pop() {
        entries_.pop_front();
        ++first_;
    }

  private:
    std::deque<entry> entries_;
    std::uint64_t first_ = 0;
};

}  // namespace ringpipe
