#include "sync/status.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "common/deadline.hpp"
#include "shm/owner_lock.hpp"
#include "sync/space_map.hpp"

namespace ringpipe::sync {
namespace {

using layout::kind;
using std::memory_order_acquire;
using std::memory_order_relaxed;

// One primitive at a time. What it reads may change meanwhile: each answer was true a moment ago.
class look_at_body {
  public:
    look_at_body(const space_map& where, std::byte* at, std::uint64_t size, primitive_status& into)
        : where_{where}, at_{at}, size_{size}, into_{into} {}

    void run(kind what, std::uint64_t parameter) {
        switch (what) {
            case kind::none: break;
            case kind::mutex: return mutex();
            case kind::semaphore: return semaphore();
            case kind::counting_semaphore: return counting_semaphore();
            case kind::shared_mutex: return shared_mutex();
            case kind::event: return event();
            case kind::barrier: return barrier();
            case kind::cell: return cell(parameter);
            case kind::lock_order: return lock_order();
        }
        into_.problem = "it is of no kind that is known";
    }

  private:
    template <class Body>
    Body* body() {
        if (size_ >= sizeof(Body)) { return reinterpret_cast<Body*>(at_); }
        into_.problem = "its entry is corrupt: it has too few bytes";
        return nullptr;
    }

    // What stands behind the body, to the end.
    template <class Item, class Body>
    std::span<Item> behind(Body* body) {
        return {reinterpret_cast<Item*>(body + 1), (size_ - sizeof(Body)) / sizeof(Item)};
    }

    void add(layout::member_id who, part what, std::uint32_t count = 1) {
        into_.participants.push_back({where_.pid_of_member(who), where_.alive(who), what, count});
    }
    void add_owner(const std::atomic<std::uint32_t>& lock, part what) {
        const auto owner = owner_lock::owner_of(lock.load(memory_order_acquire));
        if (owner != 0) { add(owner, what); }
    }

    void mutex() {
        const auto* const is = body<layout::mutex_body>();
        if (is == nullptr) { return; }
        into_.recovered = is->inconsistent.load(memory_order_relaxed) != 0;
        add_owner(is->lock, part::holds);
    }

    void semaphore() {
        auto* const is = body<layout::semaphore_body>();
        if (is == nullptr) { return; }
        const auto tokens = behind<std::atomic<std::uint32_t>>(is);
        std::map<layout::member_id, std::uint32_t> held;
        for (const auto& token : tokens) {
            const auto holder = token.load(memory_order_relaxed) & layout::member_bits;
            if (holder != 0) { ++held[holder]; }
        }
        into_.size = into_.value = tokens.size();
        for (const auto& [who, units] : held) {
            add(who, part::holds, units);
            if (into_.participants.back().alive) { into_.value -= units; }
        }
    }

    void counting_semaphore() {
        const auto* const is = body<layout::counting_semaphore_body>();
        if (is != nullptr) { into_.value = is->count.load(memory_order_relaxed); }
    }

    void shared_mutex() {
        auto* const is = body<layout::shared_mutex_body>();
        if (is == nullptr) { return; }
        into_.recovered = is->inconsistent.load(memory_order_relaxed) != 0;
        add_owner(is->writer, is->writing.load(memory_order_relaxed) != 0
                                  ? part::writes
                                  : part::waits_for_readers);
        for (const auto& each : behind<layout::reader>(is)) {
            const auto holds = each.holds.load(memory_order_relaxed);
            const auto count = layout::reader::count_of(holds);
            if (count != 0) { add(layout::reader::owner_of(holds), part::reads, count); }
        }
    }

    void event() {
        const auto* const is = body<layout::event_body>();
        if (is != nullptr) { into_.value = is->changes.load(memory_order_relaxed) & 1U; }
    }

    void barrier() {
        auto* const is = body<layout::barrier_body>();
        if (is == nullptr) { return; }
        const auto seats = behind<layout::seat>(is);
        const auto phase = is->phase.load(memory_order_acquire);
        into_.size = seats.size();
        into_.value = phase;
        bool anybody = false;
        for (const auto& each : seats) {
            const auto word = each.word.load(memory_order_relaxed);
            if (word == 0) { continue; }
            const bool there = layout::seat::arrived_of(word) == layout::seat::mark_of(phase);
            add(layout::seat::owner_of(word), there ? part::arrived : part::awaited);
            auto& who = into_.participants.back();
            who.alive = who.alive && (word & layout::seat::left) == 0;
            anybody = anybody || who.alive;
            into_.broken = into_.broken || (!there && !who.alive);
        }
        // When all are gone the next run begins anew.
        into_.broken = into_.broken && anybody;
        if (!anybody) { into_.participants.clear(); }
    }

    void cell(std::uint64_t bytes) {
        const auto* const is = body<layout::cell_body>();
        if (is == nullptr) { return; }
        into_.size = bytes;
        into_.value = is->latest.load(memory_order_relaxed);
        add_owner(is->writer, part::writes);
    }

    void lock_order() {
        const auto* const is = body<layout::lock_order_body>();
        if (is == nullptr) { return; }
        into_.size = layout::lock_order_body::edges;
        into_.value = static_cast<std::uint64_t>(
            std::count_if(std::begin(is->edge), std::end(is->edge),
                          [](const auto& e) { return e.load(memory_order_relaxed) != 0; }));
    }

    const space_map& where_;
    std::byte* at_;
    std::uint64_t size_;
    primitive_status& into_;
};

}  // namespace

space_status status_of_space(std::string_view name) {
    const space_map where{
        std::string{name}, open_mode::open, {}, after(std::chrono::milliseconds{100})};
    space_status status;
    status.name = where.file().name();
    status.path = where.file().path();
    status.mode = where.file().shape().mode;
    status.last_used = where.file().last_used();
    status.size = where.arena().size();
    status.max_members = static_cast<std::uint32_t>(where.members().size());
    status.max_entries = static_cast<std::uint32_t>(where.entries().size());
    for (std::uint32_t slot = 0; slot < where.slots_ever(); ++slot) {
        if (where.is_taken(slot)) { status.members.push_back({slot, where.pid_of(slot)}); }
    }
    for (const auto& e : where.entries()) {
        // Acquire: pairs with space_core::make(), so that the rest is there.
        const auto what = e.what.load(memory_order_acquire);
        if (what == kind::none) { break; }  // they are made in turn
        primitive_status one;
        one.name = name_in(e);
        one.kind = noun_of(what);
        const auto offset = e.offset.load(memory_order_relaxed);
        const auto size = e.size.load(memory_order_relaxed);
        if (offset % layout::line != 0 || size > status.size || offset > status.size - size) {
            one.problem = "its entry is corrupt: it lies outside of the space";
        } else {
            status.used = std::max(status.used, offset + size);
            look_at_body{where, where.arena().data() + offset, size, one}.run(
                what, e.parameter.load(memory_order_relaxed));
        }
        status.primitives.push_back(std::move(one));
    }
    return status;
}

}  // namespace ringpipe::sync
