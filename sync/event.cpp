#include "sync/event.hpp"

#include "sync/wait.hpp"

namespace ringpipe::sync {
namespace {

wanted_entry an_event(std::string_view name) {
    return {.what = layout::kind::event,
            .name = name,
            .parameter = 0,
            .size_for = [](std::uint64_t, std::uint32_t) -> std::uint64_t {
                return sizeof(layout::event_body);
            }};
}

constexpr bool is_set_in(std::uint64_t changes) { return (changes & 1U) != 0; }

}  // namespace

event::event(const space& where, std::string_view name)
    : core_{where.core()}, body_{core_->find_or_make(an_event(name)).as<layout::event_body>()} {}

void event::set() {
    (void)core_->id();  // not in a forked child
    auto seen = body_->changes.load(std::memory_order_relaxed);
    // Also when it is set already: what we did before is to be seen by who looks from now on.
    while (!body_->changes.compare_exchange_weak(seen, is_set_in(seen) ? seen : seen + 1,
                                                 std::memory_order_seq_cst,
                                                 std::memory_order_relaxed)) {}
    wake_if_announced(body_->waiting, futex::everyone);
}

void event::clear() {
    (void)core_->id();
    auto seen = body_->changes.load(std::memory_order_relaxed);
    while (is_set_in(seen) &&
           !body_->changes.compare_exchange_weak(seen, seen + 1, std::memory_order_seq_cst,
                                                 std::memory_order_relaxed)) {}
}

bool event::wait_to(deadline until) {
    (void)core_->id();
    const auto at_first = body_->changes.load(std::memory_order_acquire);
    if (is_set_in(at_first)) { return true; }
    return sync::wait_until(body_->waiting, *core_, until, [&](look) {
        return body_->changes.load(std::memory_order_acquire) != at_first;
    });
}

}  // namespace ringpipe::sync
