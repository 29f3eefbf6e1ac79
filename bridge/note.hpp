// How a bridge is, for whoever looks from outside: a small file in memory that lives as long as its
// process, found among the open files of that process (/proc/PID/fd) by its name.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/unique_fd.hpp"

namespace ringpipe::bridge {

struct bridge_state {
    std::string direction;  // "out" or "in"
    std::string address;    // of the stream, without secrets
    bool connected = false;
    std::chrono::system_clock::time_point since;  // connected, or not connected
    std::uint64_t messages = 0;                   // acknowledged, since this bridge began
    std::uint64_t bytes = 0;                      // of those
    std::uint64_t waiting = 0;   // out: taken from the ring, and not yet acknowledged by the stream
    std::uint64_t failures = 0;  // how often something had to be tried again
    std::string last_error;      // why, the last time; empty if never
};

// Safe to use from several threads. Where there is no memory for the file nobody sees it, and all
// else goes on.
class state_note {
  public:
    state_note();
    state_note(const state_note&) = delete;
    state_note& operator=(const state_note&) = delete;
    ~state_note();

    void describe(std::string_view direction, std::string_view address);
    void set_connected(bool now);
    void passed(std::uint64_t messages, std::uint64_t bytes);
    void set_waiting(std::uint64_t messages);
    void failed(std::string_view why);

  private:
    struct page;
    void write();  // mutex_ is held

    std::mutex mutex_;
    bridge_state state_;
    unique_fd file_;
    page* page_ = nullptr;
};

// Of the process `pid`, as this PID namespace numbers it. Nothing: it has no such note, or it is not
// ours to look at. Trusts nothing that it reads but to be bytes.
[[nodiscard]] std::optional<bridge_state> read_state_note(std::uint32_t pid);

}  // namespace ringpipe::bridge
