// Who is alive: one truth for locks, leases and loans.
//
// A member holds an open-file-description lock on one byte of the segment's file, at its slot's
// number. The kernel drops it the moment the process is gone, however it went; a zombie holds
// nothing, a stopped process does. It works across PID namespaces and users.
#pragma once

#include <cstdint>
#include <string>

namespace ringpipe {

// One held byte, through a file description of its own: a mapping pins the description it was made
// from, and a child that inherits that mapping would keep its dead parent "alive".
class presence {
  public:
    // Opens `path` anew, which must still be the file that `same_as` is (throws
    // error(ring_not_found) if it has been removed). Holds nothing yet.
    presence(const std::string& path, int same_as);
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;
    ~presence();

    // Takes the slot's byte; false if somebody has it. Process-safe: two never both succeed.
    [[nodiscard]] bool try_hold(std::uint32_t slot);
    void let_go(std::uint32_t slot) noexcept;

    // True in a child of the process that made this: its copies of the description are closed.
    [[nodiscard]] bool forked() const noexcept { return forked_; }

  private:
    friend struct presence_registry;

    int descriptor_ = -1;
    bool forked_ = false;
    presence* next_ = nullptr;  // all of this process, for the fork handler
    presence* previous_ = nullptr;
};

// True if somebody, in whatever process, holds the slot's byte. `descriptor` must be open on the
// segment's file and must not be the holder's own (a description never meets its own locks); asks
// with a read lock, so that readers without write permission can. `inode` guards against a
// descriptor that was closed under us and reused: the answer is then an error, not "dead".
[[nodiscard]] bool is_held(int descriptor, std::uint64_t inode, std::uint32_t slot);

// True if somebody holds any of the first `slots` slots' bytes.
[[nodiscard]] bool anybody_is_in(int descriptor, std::uint32_t slots);

}  // namespace ringpipe
