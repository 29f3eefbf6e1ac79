// A ring: one named segment of shared memory.
//
//     auto ring = ringpipe::ring::open_or_create("jobs");
//     ringpipe::producer out{ring};
//     out.send(std::as_bytes(std::span{text}));
//
// A `ring` is a handle: cheap to copy, safe to share between threads. Producers and
// consumers made from it keep the segment mapped.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/status.hpp"

namespace ringpipe {

class segment;

inline constexpr std::uint64_t default_capacity = std::uint64_t{16} << 20U;

// What is not given takes its default at creation, and is not compared at opening.
struct ring_options {
    std::optional<std::uint64_t> capacity =
        {};  // bytes; rounded up to a power of two, at least 4 KiB
    std::optional<std::uint32_t> members = {};  // slots for producers and consumers: 128
    std::optional<std::uint32_t> groups = {};   // slots for groups: 16, at most 64
    std::optional<unsigned> mode = {};          // permissions of the file: 0600
    // How long the living wait before they ask whether the one they wait for has died: 100 ms.
    std::optional<std::chrono::milliseconds> liveness_interval = {};
};

// How a blocked call waits.
enum class wait_strategy {
    adaptive,  // spins as long as it pays, then sleeps
    spin,      // never sleeps: for a core of one's own
    block,     // sleeps at once
};

enum class start_at { earliest, latest };  // where a new group begins

class ring {
  public:
    // Throws error(ring_exists) if there is one of that name.
    static ring create(std::string_view name, const ring_options& options = {});

    // Throws error(ring_not_found). Waits for a creator that is still at work.
    static ring open(std::string_view name, deadline until = after(std::chrono::seconds{5}));

    // Throws error(options_differ) if it exists with others than those given.
    static ring open_or_create(std::string_view name, const ring_options& options = {},
                               deadline until = after(std::chrono::seconds{5}));

    // False if there was none. Those who are attached keep what they have mapped.
    static bool remove(std::string_view name);

    // The names of all files in /dev/shm that are called like rings, sorted. Whether they are is
    // for open() to say.
    static std::vector<std::string> list();

    [[nodiscard]] const std::string& name() const;
    [[nodiscard]] std::uint64_t capacity() const;

    // The largest payload that fits: the capacity less two headers (32 bytes), at most 1 GiB - 1.
    [[nodiscard]] std::uint64_t max_message_size() const;

    // Makes the group if it is not there. A ring without any group keeps all messages from its
    // beginning, so the first group misses none.
    void add_group(std::string_view group, start_at from = start_at::earliest,
                   group_kind kind = group_kind::durable) const;

    // Throws error(group_not_found), error(group_in_use).
    void remove_group(std::string_view group) const;

    // A producer that died leaves the mark "truncated", which every group sees at the end.
    // This takes it back: the caller knows that what was missing has been sent.
    void clear_truncated() const;

    // A snapshot without locks: each number is right, together they may be a moment apart.
    [[nodiscard]] ring_status status() const;

    // For the layers of this library.
    [[nodiscard]] const std::shared_ptr<segment>& shared() const { return segment_; }

  private:
    explicit ring(std::shared_ptr<segment> segment) : segment_{std::move(segment)} {}

    std::shared_ptr<segment> segment_;
};

}  // namespace ringpipe
