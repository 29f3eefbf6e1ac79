// Every byte in shared memory, and nothing else. Start reading here.
//
//   offset 0          control_header      written once by the creator, magic last
//                     append_side         tail lock and what it guards      \  each on a pair
//                     room                producers that wait for room       } of cache lines
//                     sleepers            mask of groups with sleepers      /  of its own
//                     member[members]     who is attached, and each one's lease
//                     group[groups]       one reading of the stream each
//                     named_producer[32]  how far producers that can resume have come
//   header_size       buffer, `capacity` bytes, mapped twice in a row
//
// A position is a byte offset into the stream; it only grows. `position & (capacity - 16)`
// is its place in the buffer. All numbers are little-endian and naturally aligned. Nothing in
// the segment is trusted: whoever reads a value that decides an address reads it once and
// checks it (see message_view.hpp).
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ringpipe::layout {

// Neighbouring lines are fetched in pairs by today's prefetchers: two lines keep two
// writers apart.
inline constexpr std::size_t line = 128;

inline constexpr std::uint64_t magic_ready = 0x3145504950474e52;     // "RNGPIPE1"
inline constexpr std::uint64_t magic_creating = 0x3f45504950474e52;  // "RNGPIPE?": being made
inline constexpr std::uint32_t version = 1;

inline constexpr std::uint32_t max_members = 1024;
inline constexpr std::uint32_t max_groups = 64;  // one bit each in `sleepers::groups`
inline constexpr std::uint32_t max_named = 32;   // producers that can resume
inline constexpr std::size_t name_size = 64;     // with its terminating zero
inline constexpr std::uint64_t min_capacity = 4096;
inline constexpr std::uint64_t max_capacity = std::uint64_t{1} << 40;

using position = std::uint64_t;

// Who: a slot of the member table and its incarnation, 28 bits; 0 is nobody.
//   bits 0..11 slot + 1, bits 12..27 incarnation
using member_id = std::uint32_t;

constexpr member_id make_member_id(std::uint32_t slot, std::uint32_t incarnation) {
    return ((incarnation & 0xffffU) << 12U) | (slot + 1);
}
constexpr std::uint32_t slot_of(member_id who) { return (who & 0xfffU) - 1; }

// ---------------------------------------------------------------- messages

// The first eight bytes of a message: one atomic word, and the commit mark.
//   bits 0..29 size   30..31 state   32..35 flags   36..63 member_id of the producer
namespace word {
enum state : std::uint64_t { nothing = 0, busy = 1, committed = 2, discarded = 3 };
inline constexpr std::uint64_t max_size = (std::uint64_t{1} << 30U) - 1;
inline constexpr std::uint64_t state_bits = std::uint64_t{3} << 30U;
// The space behind a loan that was committed shorter than it was taken: no message.
inline constexpr std::uint64_t filler = std::uint64_t{1} << 32U;
// An 8-byte external id stands behind the payload (named producers).
inline constexpr std::uint64_t has_external_id = std::uint64_t{1} << 33U;

constexpr std::uint64_t make(state s, std::uint64_t size, member_id who, std::uint64_t flags = 0) {
    return size | (static_cast<std::uint64_t>(s) << 30U) | flags |
           (static_cast<std::uint64_t>(who) << 36U);
}
constexpr state state_of(std::uint64_t w) { return static_cast<state>((w & state_bits) >> 30U); }
constexpr std::uint64_t size_of(std::uint64_t w) { return w & max_size; }
constexpr member_id owner_of(std::uint64_t w) { return static_cast<member_id>(w >> 36U); }
constexpr std::uint64_t with_state(std::uint64_t w, state s) {
    return (w & ~state_bits) | (static_cast<std::uint64_t>(s) << 30U);
}
}  // namespace word

// Written by: the producer that owns the space (under the tail lock, or as its loan); by whoever
// discards a dead producer's loan (busy -> discarded, compare-exchange, tail lock held).
// Never assigned whole: that would publish `word` before the rest.
struct message_header {
    std::atomic<std::uint64_t> word;  // release when committed; pairs with the reader's acquire
    std::uint64_t sequence;           // plain: published by `word`
};
static_assert(sizeof(message_header) == 16, "a message header is 16 bytes");

inline constexpr std::uint64_t header_bytes = sizeof(message_header);

// Bytes of the ring that a payload of `size` takes: its header, and all rounded up to 16. In this
// form, because a reader's way from one message to the next is as long as this sum takes.
constexpr std::uint64_t stride_of(std::uint64_t size) {
    return (size + header_bytes + 15U) & ~std::uint64_t{15};
}

// ---------------------------------------------------------------- control

// Written once, by the creator, before `magic`; read-only ever after but for the last three.
struct alignas(line) control_header {
    std::atomic<std::uint64_t> magic;  // published last (release)
    std::uint32_t version;
    std::uint32_t abi;       // see abi_stamp()
    std::uint64_t capacity;  // bytes, a power of two
    std::uint64_t header_size;
    std::uint32_t members;
    std::uint32_t groups;
    std::uint64_t creation_id[2];
    std::uint64_t liveness_interval_ns;
    // Producers that ever attached. Raised by the attacher before it may send.
    std::atomic<std::uint64_t> producers_ever;
    // 1: a producer died or gave up in the middle. Set before the dead slot is cleared, so that
    // no moment exists in which the stream looks complete; taken back only knowingly.
    std::atomic<std::uint32_t> truncated;
    // Dead letters that found no room in their ring.
    std::atomic<std::uint32_t> dead_letters_dropped;
};

// Guarded by `lock` (the tail lock), each field by a single store, so that a repair can
// recompute all from `tail` and the headers behind it. Line: producers only, so that
// taking the lock brings the data along.
struct alignas(line) append_side {
    std::atomic<std::uint32_t> lock;
    std::atomic<std::uint32_t> first_in_line;  // member_id of the sender whose turn is next; 0: any
    std::atomic<position> tail;                // the next message's header
    std::atomic<std::uint64_t> sequence;       // the next message's number
    // A message may end here at most: min(limit, frontier) + capacity. 0 sends everybody the
    // slow way (someone is first in line; a repair has been here).
    std::atomic<position> room_end;
    std::atomic<position> limit;     // min of all groups' `released`, as last looked at
    std::atomic<position> frontier;  // bytes below may be overwritten at any time (for taps)
};

// A futex word: bit 0 "someone may sleep here", above it an epoch. See wait_word.hpp.
using futex_word = std::atomic<std::uint32_t>;

struct alignas(line) room {
    futex_word waiting;            // producers sleep here
    std::atomic<position> wanted;  // `released` has to reach this before waking is worth it
};

struct alignas(line) sleepers {
    std::atomic<std::uint64_t> groups;  // bit g: a send has to look at group g's wait word
};

enum class role : std::uint32_t { none = 0, producer = 1, consumer = 2, tool = 3 };

// What a member that sleeps is waiting for.
enum class wish : std::uint32_t { nothing = 0, room = 1, messages = 2 };

// [begin, end) of the stream, held by one consumer. Valid only if begin < end and
// `generation` is its group's. Written under the group lock, `end = 0` first and `end` last;
// `begin` alone is moved forward by the owner without it (release: the reads of the payload come
// before its reuse; pairs with the acquire in recompute_released).
struct alignas(line) lease {
    std::atomic<position> begin;
    std::atomic<position> end;
    std::atomic<std::uint32_t> owner;  // member_id; not the slot's: an orphan
    std::atomic<std::uint32_t> group;
    std::atomic<std::uint64_t> generation;
    // How often the message at `attempt_position` was begun before; void once begin has moved.
    std::atomic<position> attempt_position;
    std::atomic<std::uint32_t> attempts;
    std::atomic<std::uint64_t> not_before;  // ns of the monotonic clock: an orphan waits till then
    std::atomic<std::uint32_t> returned;    // 1: handed back by a clean leave, no attempt counted
};

// Written by the member in the slot; by its successor when it takes the slot.
struct alignas(line) member {
    std::atomic<std::uint32_t> incarnation;  // raised by each attach, byte lock held
    std::atomic<role> what;                  // set last on attach, none first on a clean leave
    std::atomic<std::uint32_t> group;
    std::atomic<std::uint32_t> pid;  // for people to read, never for a decision
    std::atomic<std::uint64_t> generation;
    std::atomic<std::uint32_t> named;     // producers that can resume: index in the table + 1
    std::atomic<std::uint64_t> messages;  // sent, or leased, by this incarnation
    std::atomic<wish> waits_for;          // for people to see where it stands
    char name[name_size];
    alignas(line) layout::lease lease;
};

enum class group_state : std::uint32_t { empty = 0, durable = 1, ephemeral = 2 };

struct alignas(line) group {
    // Guarded by `lock` (the group lock); one line for the lock and the claim.
    std::atomic<std::uint32_t> lock;
    std::atomic<std::uint32_t> member_count;  // bits in `members`
    std::atomic<position> claim;              // the first message nobody has leased yet
    std::atomic<std::uint64_t> claim_sequence;
    std::atomic<std::uint64_t> redelivered;
    std::atomic<std::uint64_t>
        looked_at;  // ns, monotonic: when somebody looked for dead members last
    std::atomic<std::uint64_t>
        members[max_members / 64];  // slots of this group; repair: from the table

    // Everything below is reusable. Written under the group lock (release), read by producers
    // under the tail lock (acquire).
    alignas(line) std::atomic<position> released;

    alignas(line) futex_word waiting;  // consumers sleep here

    // Cold. `state` is set last, under the tail lock.
    alignas(line) std::atomic<group_state> state;
    std::atomic<std::uint64_t> generation;  // raised by each creation; old leases don't count
    char name[name_size];
};

// A producer with a name that outlives it. Written under the tail lock.
struct alignas(line) named_producer {
    char name[name_size];               // set last, never changed; empty: a free entry
    std::atomic<std::uint32_t> owner;   // member_id of the one attached last
    std::atomic<std::uint32_t> has_id;  // 1: last_id counts
    // The external id of the last message committed: between the commit and the tail's advance, so
    // that a repair, which finds the message, sets it too.
    std::atomic<std::uint64_t> last_id;
    // 1: it died or gave up, and nobody has come to resume it: the stream is truncated.
    std::atomic<std::uint32_t> incomplete;
};

// Where everything stands in a segment with so many members and groups.
constexpr std::size_t append_offset() { return sizeof(control_header); }
constexpr std::size_t room_offset() { return append_offset() + sizeof(append_side); }
constexpr std::size_t sleepers_offset() { return room_offset() + sizeof(room); }
constexpr std::size_t members_offset() { return sleepers_offset() + sizeof(sleepers); }
constexpr std::size_t groups_offset(std::size_t members) {
    return members_offset() + members * sizeof(member);
}
constexpr std::size_t named_offset(std::size_t members, std::size_t groups) {
    return groups_offset(members) + groups * sizeof(group);
}
constexpr std::size_t control_size(std::size_t members, std::size_t groups) {
    return named_offset(members, groups) + max_named * sizeof(named_producer);
}

static_assert(std::atomic<std::uint64_t>::is_always_lock_free,
              "an atomic in shared memory must not hide a lock of one process");
static_assert(std::endian::native == std::endian::little, "the segment is little-endian");
static_assert(sizeof(control_header) == line && sizeof(append_side) == line &&
                  sizeof(room) == line && sizeof(sleepers) == line && sizeof(lease) == line,
              "what is written by different processes stands on different pairs of lines");
static_assert(sizeof(member) == 2 * line, "a member is its description and its lease");

// Differs when anything above has another size.
constexpr std::uint32_t abi_stamp() {
    return static_cast<std::uint32_t>(sizeof(member) * 1000003U + sizeof(group) * 101U +
                                      sizeof(named_producer) * 11U + sizeof(append_side) * 7U +
                                      sizeof(std::atomic<std::uint32_t>));
}

}  // namespace ringpipe::layout
