// Every byte of a space, and nothing else.
//
//   offset 0      space_header         written once by the creator, magic last; the directory's lock
//                 member[members]      who is attached
//                 entry[entries]       the directory: name, kind, and where the body is
//   arena_offset  arena                the bodies, one behind the other, each on lines of its own
//
// Nothing in here is trusted: an offset or size is read once and checked before it is used. All
// that changes is atomic, so that whatever a dead process left is at least some value.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ringpipe/shm/layout.hpp"

namespace ringpipe::sync::layout {

using ringpipe::layout::futex_word;
using ringpipe::layout::line;
using ringpipe::layout::make_member_id;
using ringpipe::layout::member_id;
using ringpipe::layout::name_size;
using ringpipe::layout::slot_of;

inline constexpr member_id member_bits = 0xfffffffU;  // of a lock's word; the others are its flags

inline constexpr std::uint64_t magic_ready = 0x3145434150534e52;     // "RNSPACE1"
inline constexpr std::uint64_t magic_creating = 0x3f45434150534e52;  // "RNSPACE?": being made
inline constexpr std::uint32_t version = 2;

inline constexpr std::uint32_t max_members = ringpipe::layout::max_members;
inline constexpr std::uint32_t max_entries = 4096;
inline constexpr std::uint64_t max_arena = std::uint64_t{1} << 32U;

struct alignas(line) space_header {
    std::atomic<std::uint64_t> magic;  // published last (release)
    std::uint32_t version;
    std::uint32_t abi;  // see abi_stamp()
    std::uint32_t members;
    std::uint32_t entries;
    std::uint64_t arena_size;
    std::uint64_t creation_id[2];
    std::uint64_t liveness_interval_ns;

    // An owner lock: whoever makes an entry holds it.
    alignas(line) std::atomic<std::uint32_t> directory_lock;
    // Slots from here on were never anybody's: whoever looks at all members stops here. Raised by
    // an attacher before it uses anything.
    std::atomic<std::uint32_t> slots_ever;
};

struct alignas(64) member {
    std::atomic<std::uint32_t> incarnation;  // raised by each attach, byte lock held
    std::atomic<std::uint32_t> pid;          // for people to read, never for a decision
};

enum class kind : std::uint32_t {
    none = 0,
    mutex = 1,
    semaphore = 2,
    counting_semaphore = 3,
    shared_mutex = 4,
    event = 5,
    barrier = 6,
    cell = 7,
    lock_order = 8,
};

// Written under the directory's lock, `what` last (release); never changed again. A creator that
// dies before that leaves an entry that is still free.
struct alignas(line) entry {
    std::atomic<kind> what;
    std::atomic<std::uint32_t> reserved;
    std::atomic<std::uint64_t> parameter;  // units, parties, bytes of a value: what the kind needs
    std::atomic<std::uint64_t> offset;     // of the body in the arena, a multiple of `line`
    std::atomic<std::uint64_t> size;
    char name[name_size];
};

// ---------------------------------------------------------------- bodies

struct alignas(line) mutex_body {
    std::atomic<std::uint32_t> lock;          // an owner lock
    std::atomic<std::uint32_t> inconsistent;  // 1: an owner died; until somebody takes it back
};

// Behind it, on the same lines: std::atomic<std::uint32_t> token[units], 0 or the holder's
// member_id. So a unit is a lock that names its owner, and what the dead hold needs no bookkeeping.
struct alignas(8) semaphore_body {
    futex_word waiting;
    std::atomic<std::uint32_t> reserved;
};

struct alignas(line) counting_semaphore_body {
    std::atomic<std::uint32_t> count;
    futex_word waiting;
};

// How many times a process holds a shared_mutex shared: bits 0..31 the member_id, 32..63 the count.
// The count is void once that member is dead. On a line of its own: readers don't disturb each
// other.
struct alignas(64) reader {
    std::atomic<std::uint64_t> holds;

    static constexpr std::uint64_t make(member_id who, std::uint32_t count) {
        return (std::uint64_t{count} << 32U) | who;
    }
    static constexpr member_id owner_of(std::uint64_t holds) {
        return static_cast<member_id>(holds);
    }
    static constexpr std::uint32_t count_of(std::uint64_t holds) {
        return static_cast<std::uint32_t>(holds >> 32U);
    }
};

// Behind it: reader[members].
struct alignas(line) shared_mutex_body {
    std::atomic<std::uint32_t> writer;        // an owner lock: no reader enters while it is taken
    std::atomic<std::uint32_t> inconsistent;  // 1: a writer died at work; until it is taken back
    std::atomic<std::uint32_t> writing;       // 1: the writer is in: all readers are out
    alignas(line) futex_word drained;         // a writer waits for the last reader
    // A reader that met a writer, or 0: writers that come later let it in first, once.
    std::atomic<std::uint32_t> first_reader;
    futex_word turn;  // they wait for it to be in
};

struct alignas(line) event_body {
    // Bit 0: set. Each change adds one, so who waits sees that it was set, even if it is clear again.
    std::atomic<std::uint64_t> changes;
    futex_word waiting;
};

// One party of a barrier. A single word, so that a phase's end is recomputed from what the seats
// say, whoever died where.
//   bits 0..27 member_id, 28 its party has left; 32..63 the phase it has arrived in, plus one
struct seat {
    std::atomic<std::uint64_t> word;

    static constexpr std::uint64_t left = std::uint64_t{1} << 28U;
    static constexpr std::uint64_t make(member_id who, std::uint32_t arrived) {
        return (std::uint64_t{arrived} << 32U) | who;
    }
    // What `arrived` is in this phase. Never 0, which says that it has not.
    static constexpr std::uint32_t mark_of(std::uint64_t phase) {
        return static_cast<std::uint32_t>(phase % 0xffffffffU) + 1;
    }
    static constexpr member_id owner_of(std::uint64_t w) {
        return static_cast<member_id>(w & member_bits);
    }
    static constexpr std::uint32_t arrived_of(std::uint64_t w) {
        return static_cast<std::uint32_t>(w >> 32U);
    }
};

// Behind it: seat[parties].
struct alignas(line) barrier_body {
    std::atomic<std::uint32_t> seats_lock;  // an owner lock: whoever takes a seat holds it
    futex_word waiting;
    std::atomic<std::uint64_t> phase;  // phases completed
};

// Behind it: four buffers of `cell_stride(size)` bytes, as 64-bit words that are all atomic. Write n
// goes to buffer n % 4.
struct alignas(line) cell_body {
    std::atomic<std::uint64_t> latest;  // writes completed: that one may be read
    std::atomic<std::uint64_t> begun;   // writes begun: latest, or one more. Set before the bytes
    std::atomic<std::uint32_t> writer;  // member_id
    futex_word waiting;
};

inline constexpr std::uint64_t cell_buffers = 4;

// Whole lines: the writer never touches the line of a value that is being read.
constexpr std::uint64_t cell_stride(std::uint64_t size) { return (size + 63) / 64 * 64; }

// The debug mode's order graph: a hash table with open addressing. An edge says that somebody waited
// for one lock while holding another; it is one word, written once.
//   bits 0..15 index + 1 of the lock wanted, 16..31 of the one held, 32..63 the process that did it
struct lock_order_body {
    static constexpr std::uint32_t edges = 4096;
    std::atomic<std::uint64_t> edge[edges];

    static constexpr std::uint64_t make(std::uint32_t held, std::uint32_t wanted,
                                        std::uint32_t pid) {
        return (std::uint64_t{pid} << 32U) | ((held + 1) << 16U) | (wanted + 1);
    }
    static constexpr std::uint32_t held_of(std::uint64_t e) {
        return static_cast<std::uint32_t>((e >> 16U) & 0xffffU) - 1;
    }
    static constexpr std::uint32_t wanted_of(std::uint64_t e) {
        return static_cast<std::uint32_t>(e & 0xffffU) - 1;
    }
    static constexpr std::uint32_t pid_of(std::uint64_t e) {
        return static_cast<std::uint32_t>(e >> 32U);
    }
};

// Where everything stands in a space of such a shape.
constexpr std::uint64_t members_offset() { return sizeof(space_header); }
constexpr std::uint64_t entries_offset(std::uint32_t members) {
    const auto end = members_offset() + std::uint64_t{members} * sizeof(member);
    return (end + line - 1) / line * line;  // an odd number of members ends within a line
}
constexpr std::uint64_t arena_offset(std::uint32_t members, std::uint32_t entries) {
    return entries_offset(members) + std::uint64_t{entries} * sizeof(entry);
}

static_assert(sizeof(space_header) == 2 * line && sizeof(member) == 64 && sizeof(entry) == line);
static_assert(entries_offset(3) % alignof(entry) == 0 && arena_offset(3, 5) % line == 0);

// Differs when anything above has another size.
constexpr std::uint32_t abi_stamp() {
    return static_cast<std::uint32_t>(sizeof(space_header) * 1000003U + sizeof(member) * 101U +
                                      sizeof(entry) * 11U + sizeof(std::atomic<std::uint32_t>));
}

}  // namespace ringpipe::sync::layout
