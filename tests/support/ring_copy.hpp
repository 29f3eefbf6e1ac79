// A ring's file as it is at one moment, and a copy of it that nobody is attached to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/unique_fd.hpp"

namespace ringpipe::test {

// All that other processes can ever see of a ring: its file, and which bytes of it are locked.
struct ring_state {
    bool exists = false;
    unsigned mode = 0;
    std::uint64_t held = 0;  // bit n: the byte of slot n is locked; bit 63: that of the creator
    std::vector<std::byte> bytes;

    bool operator==(const ring_state&) const = default;
};

[[nodiscard]] ring_state look_at(const std::string& path, std::uint32_t slots);

// A new file of the same bytes and mode, none of them locked. What is there goes.
void write_copy(const ring_state& state, const std::string& path);

[[nodiscard]] std::uint64_t hash_of(const ring_state& state);

// Sits in slots, so that nobody attaches there, and has no part in anything.
class held_slots {
  public:
    held_slots(const std::string& path, const std::vector<std::uint32_t>& slots);
    void let_go() { file_.reset(); }

  private:
    unique_fd file_;
};

}  // namespace ringpipe::test
