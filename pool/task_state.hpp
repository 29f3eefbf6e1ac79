// One submitted task, as its future and the pool see it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "ringpipe/pool/encoding.hpp"
#include "ringpipe/pool/options.hpp"

namespace ringpipe::pool {

class task_state : public std::enable_shared_from_this<task_state> {
  public:
    enum class phase { waiting, handed, settled };

    explicit task_state(const task_options& options) : options_{options} {}
    task_state(const task_state&) = delete;
    task_state& operator=(const task_state&) = delete;
    virtual ~task_state() = default;

    // Acquire: pairs with the release of whoever settled it.
    [[nodiscard]] bool ready() const { return ready_.load(std::memory_order_acquire); }

    // ---- for the pool; guarded by its mutex unless said otherwise

    // `reply` is the whole message. By whoever took the task out of `handed`; no lock is held. Never
    // throws: what the decoder throws becomes the result.
    void keep_result(std::span<const std::byte> encoded) noexcept {
        try {
            decode(encoded);
        } catch (...) { failure_ = std::current_exception(); }
    }
    void keep_failure(std::exception_ptr failure) noexcept { failure_ = std::move(failure); }
    void make_ready() noexcept { ready_.store(true, std::memory_order_release); }
    // After make_ready(), no lock held.
    virtual void notify() noexcept {}

    const task_options options_;
    phase phase_ = phase::waiting;
    std::uint32_t slot_ = 0;
    std::uint64_t dispatch_ = 0;
    std::uint64_t number_ = 0;        // order of submission
    std::uint32_t attempts_ = 0;      // handed over, or begun again
    bool orphaned_ = false;           // its request came back: no reply will come any more
    std::optional<int> death_;        // its worker's, as waitpid() says it
    std::vector<std::byte> request_;  // while it waits, and as long as it may be tried again

  protected:
    virtual void decode(std::span<const std::byte> encoded) = 0;

    // Out of here, never a copy: whoever takes it alone holds the exception from then on, and frees
    // it. With a copy left here the last reference to this state would, which may be the reading
    // thread's; the count that makes that right is within libstdc++, where ThreadSanitizer does not
    // see it and reports a race with the taker's what().
    [[nodiscard]] std::exception_ptr take_failure() noexcept {
        return std::exchange(failure_, nullptr);
    }
    std::exception_ptr failure_;

  private:
    std::atomic<bool> ready_ = false;
};

template <class Result>
class result_state : public task_state {
  public:
    using task_state::task_state;

    // Once, when ready.
    Result take() {
        if (this->failure_) { std::rethrow_exception(this->take_failure()); }
        if constexpr (!std::is_void_v<Result>) { return std::move(*value_); }
    }

  protected:
    void decode(std::span<const std::byte> encoded) override {
        if constexpr (!std::is_void_v<Result>) {
            decoder from{encoded};
            (void)from.take(sizeof(reply_header));
            value_.emplace(from.get<Result>());
        }
    }

    std::optional<std::conditional_t<std::is_void_v<Result>, char, Result>> value_;
};

}  // namespace ringpipe::pool
