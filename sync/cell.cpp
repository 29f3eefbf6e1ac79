#include "sync/cell.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "sync/wait.hpp"

namespace ringpipe::sync {
namespace {

wanted_entry a_cell(std::string_view name, std::size_t size) {
    return {.what = layout::kind::cell,
            .name = name,
            .parameter = size,
            .size_for = [](std::uint64_t n, std::uint32_t) -> std::uint64_t {
                return sizeof(layout::cell_body) + layout::cell_buffers * layout::cell_stride(n);
            }};
}

}  // namespace

cell_buffers::cell_buffers(const space& where, std::string_view name, std::size_t size)
    : core_{where.core()},
      body_{core_->find_or_make(a_cell(name, size)).as<layout::cell_body>()},
      words_{reinterpret_cast<std::atomic<std::uint64_t>*>(body_ + 1)},
      stride_{layout::cell_stride(size) / sizeof(std::uint64_t)} {}

void cell_buffers::refuse_corrupt() const {
    throw error{errc::corrupt, fmt::format("a cell in space {} is corrupt: it says that a write is "
                                           "under way which cannot be; remove the space",
                                           core_->name())};
}

bool cell_buffers::wait(std::uint64_t since, deadline until) const {
    (void)core_->id();  // not in a forked child
    return wait_until(body_->waiting, *core_, until,
                      [&](look) { return body_->latest.load(std::memory_order_acquire) != since; });
}

// ---------------------------------------------------------------- the writer

layout::member_id cell_buffers::take() const {
    const auto me = core_->id();
    auto writer = body_->writer.load(std::memory_order_relaxed);
    for (;;) {
        if (writer != 0 && core_->alive(writer)) {
            throw error{errc::name_in_use,
                        fmt::format("cannot write to a cell in space {}: {} writes to it, and a "
                                    "cell has one writer; end that one first",
                                    core_->name(), core_->who(writer))};
        }
        // From the dead there is nothing to mend: what it had not published never happened.
        // Acquire: pairs with give_back(), so that `latest` is its last.
        if (body_->writer.compare_exchange_weak(writer, me, std::memory_order_acquire,
                                                std::memory_order_relaxed)) {
            return me;
        }
    }
}

void cell_buffers::give_back(layout::member_id me) const {
    if (core_->forked()) { return; }
    body_->writer.compare_exchange_strong(me, 0, std::memory_order_release,
                                          std::memory_order_relaxed);
}

std::uint64_t cell_buffers::begin(layout::member_id me) const {
    (void)core_->id();  // not in a forked child
    if (body_->writer.load(std::memory_order_relaxed) != me) [[unlikely]] {
        throw error{errc::presence_lost,
                    fmt::format("a cell in space {} has got another writer: others took this "
                                "process for dead, because its presence lock was gone "
                                "(close_range?); open the space again",
                                core_->name())};
    }
    const auto n = body_->latest.load(std::memory_order_relaxed) + 1;
    // Release: behind the last publish().
    body_->begun.store(n, std::memory_order_release);
    // Pairs with the reader's: whoever sees a byte of this write sees that it was begun.
    std::atomic_thread_fence(std::memory_order_release);
    return n;
}

// The one store that makes it the latest.
void cell_buffers::publish(std::uint64_t n) const {
    // Sequentially consistent, and a read-modify-write: it comes before the look at who waits.
    body_->latest.exchange(n, std::memory_order_seq_cst);
    wake_if_announced(body_->waiting, futex::everyone);
}

}  // namespace ringpipe::sync
