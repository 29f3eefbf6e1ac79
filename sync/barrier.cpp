#include "sync/barrier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "common/error.hpp"
#include "shm/owner_lock.hpp"
#include "sync/wait.hpp"

namespace ringpipe::sync {

using layout::seat;

namespace {

wanted_entry a_barrier(std::string_view name, std::optional<std::uint64_t> parties) {
    if (parties && (*parties < 1 || *parties > barrier::max_parties)) {
        throw error{errc::invalid_argument,
                    fmt::format("a barrier cannot have {} parties; ask for 1 to {}", *parties,
                                barrier::max_parties)};
    }
    return {.what = layout::kind::barrier,
            .name = name,
            .parameter = parties,
            .size_for = [](std::uint64_t n, std::uint32_t) -> std::uint64_t {
                return sizeof(layout::barrier_body) + n * sizeof(seat);
            }};
}

}  // namespace

barrier::barrier(const space& where, const wanted_entry& wanted, std::string_view name)
    : core_{where.core()}, me_{core_->id()} {
    const auto found = core_->find_or_make(wanted);
    body_ = found.as<layout::barrier_body>();
    seats_ = {reinterpret_cast<seat*>(body_ + 1), found.parameter};
    take_seat(name);
}

barrier::barrier(const space& where, std::string_view name, std::uint32_t parties)
    : barrier{where, a_barrier(name, parties), name} {}

barrier::barrier(const space& where, std::string_view name)
    : barrier{where, a_barrier(name, std::nullopt), name} {}

barrier::~barrier() {
    if (core_->forked()) { return; }
    auto& mine = seats_[seat_].word;
    auto word = mine.load(std::memory_order_relaxed);
    if (seat::owner_of(word) != me_) { return; }  // others took us for dead
    // The others find it when they look, after a liveness interval: all who are through with the
    // last phase leave like this, and none of them is to be woken for it.
    mine.compare_exchange_strong(word, word | seat::left, std::memory_order_seq_cst);
}

// ---------------------------------------------------------------- seats

bool barrier::is_gone(std::uint64_t word) const {
    return (word & seat::left) != 0 || !core_->alive(seat::owner_of(word));
}

// So that what is left of an earlier run does not look like a death in this one. Seats lock held;
// killed in here, it is the next one's to do.
void barrier::begin_anew_if_all_are_gone() {
    const auto in_use = [this](const seat& s) {
        const auto word = s.word.load(std::memory_order_acquire);
        return word != 0 && !is_gone(word);
    };
    if (std::any_of(seats_.begin(), seats_.end(), in_use)) { return; }
    for (auto& s : seats_) { s.word.store(0, std::memory_order_release); }
}

void barrier::take_seat(std::string_view name) {
    struct {
        owner_lock word;
        layout::member_id me;
        void lock() { (void)word.lock(me); }
        void unlock() { word.unlock(me); }
    } lock{owner_lock{*core_, body_->seats_lock}, me_};
    const std::lock_guard hold{lock};
    begin_anew_if_all_are_gone();
    for (const bool of_the_gone : {false, true}) {
        for (seat_ = 0; seat_ < parties(); ++seat_) {
            auto& s = seats_[seat_].word;
            auto word = s.load(std::memory_order_acquire);
            const bool welcome = of_the_gone ? word != 0 && is_gone(word) : word == 0;
            // Its arrival, if there was one, stands: this party comes in for the next phase.
            if (welcome && s.compare_exchange_strong(word, seat::make(me_, seat::arrived_of(word)),
                                                     std::memory_order_seq_cst)) {
                const auto now = phase();
                if (seat::arrived_of(word) == layout::seat::mark_of(now)) { arrived_in_ = now; }
                return;
            }
        }
    }
    throw error{errc::members_full,
                fmt::format("cannot join the barrier {} in space {}: its {} parties are all there",
                            name, core_->name(), parties())};
}

// ---------------------------------------------------------------- phases

// Ends the phase if all have arrived; anybody may find that, also when the last one died.
void barrier::complete(std::uint64_t phase) {
    const auto mark = layout::seat::mark_of(phase);
    for (const auto& s : seats_) {
        // Acquire: what each party did before it arrived is seen by all behind the barrier.
        if (seat::arrived_of(s.word.load(std::memory_order_seq_cst)) != mark) { return; }
    }
    if (body_->phase.compare_exchange_strong(phase, phase + 1, std::memory_order_seq_cst)) {
        wake_if_announced(body_->waiting, futex::everyone);
    }
}

void barrier::throw_if_one_is_gone(std::uint64_t phase) const {
    for (std::uint32_t i = 0; i < parties(); ++i) {
        const auto word = seats_[i].word.load(std::memory_order_seq_cst);
        if (word == 0 || seat::arrived_of(word) == layout::seat::mark_of(phase) || !is_gone(word)) {
            continue;
        }
        // It may have arrived and let the phase end just before it went.
        if (body_->phase.load(std::memory_order_seq_cst) != phase ||
            seats_[i].word.load(std::memory_order_seq_cst) != word) {
            return;
        }
        throw error{errc::party_died,
                    fmt::format("a barrier in space {} waits for a party that {}: {}; start "
                                "another one, which takes its place, or give up",
                                core_->name(), (word & seat::left) != 0 ? "left" : "died",
                                core_->who(seat::owner_of(word)))};
    }
}

bool barrier::arrive_and_wait_to(deadline until) {
    (void)core_->id();  // not in a forked child
    if (!arrived_in_) {
        const auto now = phase();  // it cannot end before we arrive
        auto& mine = seats_[seat_].word;
        auto word = mine.load(std::memory_order_relaxed);
        if (seat::owner_of(word) != me_ ||
            !mine.compare_exchange_strong(word, seat::make(me_, layout::seat::mark_of(now)),
                                          std::memory_order_seq_cst)) {
            throw error{errc::presence_lost,
                        fmt::format("this process's seat at a barrier in space {} was taken: "
                                    "others took it for dead, because its presence lock was gone "
                                    "(close_range?); open the space again",
                                    core_->name())};
        }
        arrived_in_ = now;
        complete(now);
    }
    const auto waited_for = *arrived_in_;
    const bool over = sync::wait_until(body_->waiting, *core_, until, [&](look how) {
        if (phase() != waited_for) { return true; }
        if (how == look::thorough) {
            complete(waited_for);
            throw_if_one_is_gone(waited_for);
        }
        return phase() != waited_for;
    });
    if (over) { arrived_in_.reset(); }
    return over;
}

}  // namespace ringpipe::sync
