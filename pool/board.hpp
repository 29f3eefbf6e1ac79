// What a pool and its workers share besides the two rings: who runs what.
//
// A file, /dev/shm/ringpipe-pool.NAME, whose owner holds an flock on it as long as it lives. So
// whoever finds the file unlocked knows that it and the rings NAME.requests and NAME.replies are
// what a killed owner left (see abandoned.hpp). Any process may read it: this is what
// `ringpipe top` can show of a pool.
#pragma once

#include <atomic>
#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ringpipe/common/unique_fd.hpp"
#include "ringpipe/pool/status.hpp"

namespace ringpipe::pool {

// Tasks handed to the workers at a time, at most: one claim word each.
inline constexpr std::uint32_t max_handed = 1024;
inline constexpr std::uint32_t max_pool_workers = 480;  // a ring has 1024 members, dead ones too

// A claim word says what has become of one handing-over of a task ("dispatch", a number that is
// never used again). It decides every race with one compare-exchange:
//   handed  -> begun      by the worker that got the message
//   handed  -> cancelled  by the owner: the worker will find it so and pass on
//   begun   -> done       by the same worker, before it replies
//   begun   -> doomed     by the owner, which then kills that worker: it cannot have begun another
// bits 0..2 state, 3..15 worker, 16..63 dispatch. Acquire and release: what one side wrote before
// is seen by the other.
namespace claim {
enum state : std::uint64_t { nothing = 0, handed, begun, done, cancelled, doomed };

constexpr std::uint64_t make(state s, std::uint64_t dispatch, std::uint32_t worker = 0) {
    return (dispatch << 16U) | (std::uint64_t{worker} << 3U) | s;
}
constexpr state state_of(std::uint64_t word) { return static_cast<state>(word & 7U); }
constexpr std::uint32_t worker_of(std::uint64_t word) {
    return static_cast<std::uint32_t>((word >> 3U) & 0x1fffU);
}
constexpr std::uint64_t dispatch_of(std::uint64_t word) { return word >> 16U; }
}  // namespace claim

struct alignas(128) board_header {
    std::atomic<std::uint64_t> magic;  // published last
    std::uint32_t version;
    std::uint32_t workers;  // entries
    std::uint64_t max_tasks_per_worker;
    std::uint64_t initializer_size;  // its request; behind the claims
    // Told by the owner now and then.
    std::atomic<std::uint32_t> owner_pid;
    std::atomic<std::uint64_t> waiting;
    std::atomic<std::uint64_t> handed;
    std::atomic<std::uint64_t> done;
    std::atomic<std::uint64_t> failed;
    std::atomic<std::uint64_t> cancelled;
    std::atomic<std::uint64_t> worker_deaths;
    // Why a worker could not start: written by the first such, under `broken`: 0 -> 1 -> 2.
    std::atomic<std::uint32_t> broken;
    char broken_why[256];
};

// Written by the worker, but for `pid`, which the owner clears when it is gone.
struct alignas(128) board_worker {
    std::atomic<std::uint32_t> pid;       // set when it has started whole
    std::atomic<std::uint64_t> dispatch;  // at work on it; 0: idle
    std::atomic<std::uint64_t> begun_at;  // ns of the monotonic clock
    std::atomic<std::uint64_t> done;
    std::atomic<std::uint64_t> failed;
};

class board {
  public:
    struct settings {
        std::uint32_t workers;
        std::uint64_t max_tasks_per_worker;
        std::span<const std::byte> initializer;
    };

    // The owner's. Throws error(ring_exists, no_space, no_permission, io).
    static board create(std::string_view pool, const settings& what);
    // A worker's. Throws error(ring_not_found, wrong_version, ...).
    static board open(std::string_view pool);
    // Of somebody who only looks.
    static board open_to_look(std::string_view pool);

    // False: an open file that is certainly something else.
    [[nodiscard]] static bool may_be_one(int descriptor);

    [[nodiscard]] board_header& header() const { return *at<board_header>(0); }
    [[nodiscard]] std::span<board_worker> workers() const;
    [[nodiscard]] std::atomic<std::uint64_t>& claim_of(std::uint32_t slot) const;
    [[nodiscard]] std::span<const std::byte> initializer() const;

    // Somebody else has it: its pool lives. Its owner does not ask this.
    [[nodiscard]] bool is_owned() const;

    // Of a pool's name.
    [[nodiscard]] static std::string path_of(std::string_view pool);
    static constexpr std::string_view folder = "/dev/shm";
    static constexpr std::string_view prefix = "ringpipe-pool.";

  private:
    board(unique_fd file, bool writable);
    static board open(std::string_view pool, bool writable);

    template <class T>
    [[nodiscard]] T* at(std::size_t offset) const {
        return reinterpret_cast<T*>(static_cast<std::byte*>(memory_.get_address()) + offset);
    }
    [[nodiscard]] std::size_t claims_offset() const;

    unique_fd file_;
    boost::interprocess::mapped_region memory_;
};

[[nodiscard]] std::vector<worker_status> workers_on(const board& shared);

}  // namespace ringpipe::pool
