#include "sync/counting_semaphore.hpp"

#include <fmt/format.h>

#include "common/error.hpp"

namespace ringpipe::sync {
namespace {

wanted_entry a_count(std::string_view name, std::optional<std::uint64_t> initial) {
    if (initial && *initial > counting_semaphore::max()) {
        throw error{errc::invalid_argument,
                    fmt::format("a counting_semaphore cannot begin with {}; give at most {}",
                                *initial, counting_semaphore::max())};
    }
    return {.what = layout::kind::counting_semaphore,
            .name = name,
            .parameter = initial,
            .size_for = [](std::uint64_t, std::uint32_t) -> std::uint64_t {
                return sizeof(layout::counting_semaphore_body);
            },
            .initialize =
                [initial](std::byte* at) {
                    reinterpret_cast<layout::counting_semaphore_body*>(at)->count.store(
                        static_cast<std::uint32_t>(*initial), std::memory_order_relaxed);
                }};
}

}  // namespace

counting_semaphore::counting_semaphore(const space& where, std::string_view name,
                                       std::uint32_t initial)
    : core_{where.core()},
      body_{core_->find_or_make(a_count(name, initial)).as<layout::counting_semaphore_body>()} {}

counting_semaphore::counting_semaphore(const space& where, std::string_view name)
    : core_{where.core()},
      body_{
          core_->find_or_make(a_count(name, std::nullopt)).as<layout::counting_semaphore_body>()} {}

void counting_semaphore::release(std::uint32_t update) {
    (void)core_->id();  // not in a forked child
    auto seen = body_->count.load(std::memory_order_relaxed);
    do {
        if (update > max() || seen > max() - update) {
            throw error{errc::invalid_argument,
                        fmt::format("cannot release {} to a counting_semaphore in space {}: it "
                                    "stands at {}, and {} is the most",
                                    update, core_->name(), seen, max())};
        }
        // Sequentially consistent: it comes before the look at who waits.
    } while (!body_->count.compare_exchange_weak(seen, seen + update, std::memory_order_seq_cst,
                                                 std::memory_order_relaxed));
    wake_if_announced(body_->waiting, static_cast<int>(update));
}

}  // namespace ringpipe::sync
