// The latest value of something: one process writes it, any number read it, nobody waits for another.
//
//     sync::cell_writer<position> out{space, "position"};      sync::cell<position> in{space, "position"};
//     out.write({52.5, 13.4});                                 if (auto now = in.read()) { ... }
//
// There are four buffers. The writer fills the next one and then says that it is the latest, so a
// reader always finds a whole value, whenever the writer is killed; and it writes over the one
// being read only if it has written three more meanwhile, which the reader notices, and takes the
// latest instead (a sequence lock's check, with room to make failing rare: see Boehm, "Can seqlocks
// get along with programming language memory models?", 2012, for the fences).
#pragma once

#include <cstring>
#include <new>
#include <type_traits>

#include "ringpipe/sync/deadline_of.hpp"
#include "ringpipe/sync/space_core.hpp"

namespace ringpipe::sync {

// What reader and writer of a cell share; bytes without a type.
class cell_buffers {
  public:
    // Throws error(invalid_name | options_differ | names_full | no_space).
    cell_buffers(const space& where, std::string_view name, std::size_t size);

    [[nodiscard]] layout::cell_body& body() const { return *body_; }
    [[nodiscard]] const space_core& where() const { return *core_; }
    // The 64-bit words of write number `n`.
    [[nodiscard]] std::atomic<std::uint64_t>* words_of(std::uint64_t n) const {
        return words_ + n % layout::cell_buffers * stride_;
    }
    [[noreturn]] void refuse_corrupt() const;
    [[nodiscard]] bool wait(std::uint64_t since, deadline until) const;

    // The writer's own: takes the place or throws error(name_in_use); gives it back; begins and
    // ends a write.
    layout::member_id take() const;
    void give_back(layout::member_id me) const;
    std::uint64_t begin(layout::member_id me) const;
    void publish(std::uint64_t n) const;

  private:
    std::shared_ptr<space_core> core_;
    layout::cell_body* body_;
    std::atomic<std::uint64_t>* words_;
    std::uint64_t stride_;  // in words
};

// Thread-safe. T's size is checked at opening, its type is not.
template <class T>
class cell {
    static_assert(std::is_trivially_copyable_v<T>, "bytes are all that another process sees of it");

  public:
    // Opens the space's cell of that name, or makes it, without a value.
    cell(const space& where, std::string_view name) : cell_{where, name, sizeof(T)} {}

    // The latest value, whole; nothing if there was never one. The writer's death changes nothing.
    [[nodiscard]] std::optional<T> read() const {
        alignas(T) std::byte bytes[sizeof(T)];
        if (copy_to(bytes) == 0) { return std::nullopt; }
        return *std::launder(reinterpret_cast<const T*>(bytes));
    }

    // The same; returns the number of its write, 0 if there is none yet.
    [[nodiscard]] std::uint64_t read_into(T& value) const {
        return copy_to(reinterpret_cast<std::byte*>(&value));
    }

    // Writes so far.
    [[nodiscard]] std::uint64_t version() const {
        return cell_.body().latest.load(std::memory_order_acquire);
    }

    // Waits until version() is no longer `since`. Costs the writer a system call.
    void wait(std::uint64_t since) const { (void)cell_.wait(since, never); }
    template <class Rep, class Period>
    [[nodiscard]] bool wait_for(std::uint64_t since,
                                std::chrono::duration<Rep, Period> timeout) const {
        return cell_.wait(since, after(timeout));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool wait_until(std::uint64_t since,
                                  std::chrono::time_point<Clock, Duration> until) const {
        return cell_.wait(since, deadline_of(until));
    }

  private:
    std::uint64_t copy_to(std::byte* to) const {
        const auto& body = cell_.body();
        for (std::uint64_t before = 0;;) {
            // Acquire: pairs with publish(), so that the value is there.
            const auto n = body.latest.load(std::memory_order_acquire);
            if (n == 0) { return 0; }
            const auto* words = cell_.words_of(n);
            std::size_t at = 0;
            for (; at + 8 <= sizeof(T); at += 8) {
                const auto word = words[at / 8].load(std::memory_order_relaxed);
                std::memcpy(to + at, &word, 8);
            }
            if constexpr (sizeof(T) % 8 != 0) {
                const auto word = words[at / 8].load(std::memory_order_relaxed);
                std::memcpy(to + at, &word, sizeof(T) % 8);
            }
            // Pairs with the fence in begin(): had we read a byte of a later write into this
            // buffer, we would now see that it was begun.
            std::atomic_thread_fence(std::memory_order_acquire);
            // Acquire: if another was begun, the one before it is `latest` when we look again.
            const auto begun = body.begun.load(std::memory_order_acquire);
            if (begun - n < layout::cell_buffers) [[likely]] { return n; }
            // Three more were completed meanwhile; were the latest still the same, no writer did
            // that.
            if (n == before) { cell_.refuse_corrupt(); }
            before = n;
        }
    }

    cell_buffers cell_;
};

// The one who writes. For one thread at a time.
template <class T>
class cell_writer {
    static_assert(std::is_trivially_copyable_v<T>, "bytes are all that another process sees of it");

  public:
    // Throws error(name_in_use) while another writer lives; a dead one's place is taken.
    cell_writer(const space& where, std::string_view name)
        : cell_{where, name, sizeof(T)}, me_{cell_.take()} {}
    cell_writer(const cell_writer&) = delete;
    cell_writer& operator=(const cell_writer&) = delete;
    ~cell_writer() { cell_.give_back(me_); }

    // Waits for nobody. Throws error(presence_lost) if another writer took the place: see
    // mutex::unlock().
    void write(const T& value) {
        const auto n = cell_.begin(me_);
        const auto* from = reinterpret_cast<const std::byte*>(&value);
        auto* words = cell_.words_of(n);
        std::size_t at = 0;
        for (; at + 8 <= sizeof(T); at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, from + at, 8);
            words[at / 8].store(word, std::memory_order_relaxed);
        }
        if constexpr (sizeof(T) % 8 != 0) {
            std::uint64_t word = 0;
            std::memcpy(&word, from + at, sizeof(T) % 8);
            words[at / 8].store(word, std::memory_order_relaxed);
        }
        cell_.publish(n);
    }

  private:
    cell_buffers cell_;
    layout::member_id me_;
};

}  // namespace ringpipe::sync
