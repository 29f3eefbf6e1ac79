#include "sync/semaphore.hpp"

#include <fmt/format.h>

#include "common/error.hpp"

namespace ringpipe::sync {
namespace {

wanted_entry a_semaphore(std::string_view name, std::optional<std::uint64_t> units) {
    if (units && (*units < 1 || *units > semaphore::max_units)) {
        throw error{errc::invalid_argument,
                    fmt::format("a semaphore cannot have {} units; ask for 1 to {}", *units,
                                semaphore::max_units)};
    }
    return {.what = layout::kind::semaphore,
            .name = name,
            .parameter = units,
            .size_for = [](std::uint64_t n, std::uint32_t) -> std::uint64_t {
                return sizeof(layout::semaphore_body) + n * sizeof(std::atomic<std::uint32_t>);
            }};
}

}  // namespace

semaphore::semaphore(const space& where, const wanted_entry& wanted) : core_{where.core()} {
    const auto found = core_->find_or_make(wanted);
    body_ = found.as<layout::semaphore_body>();
    tokens_ = {reinterpret_cast<std::atomic<std::uint32_t>*>(body_ + 1), found.parameter};
}

semaphore::semaphore(const space& where, std::string_view name, std::uint32_t units)
    : semaphore{where, a_semaphore(name, units)} {}

semaphore::semaphore(const space& where, std::string_view name)
    : semaphore{where, a_semaphore(name, std::nullopt)} {}

bool semaphore::take_any(layout::member_id me) {
    for (std::uint32_t token = 0; token < units(); ++token) {
        if (tokens_[token].load(std::memory_order_relaxed) == 0 && take(token, me)) {
            hint_.store(token, std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

// Whoever is killed in here has freed some of the dead's, and the next one frees the rest.
void semaphore::free_dead_ones() {
    living lives{*core_};
    for (auto& token : tokens_) {
        auto holder = token.load(std::memory_order_relaxed);
        if (holder == 0 || lives(holder)) { continue; }
        // From exactly that dead holder: it may be somebody else's by now.
        if (token.compare_exchange_strong(holder, 0, std::memory_order_seq_cst)) {
            wake_if_announced(body_->waiting, 1);
        }
    }
}

bool semaphore::wait_and_take(layout::member_id me, deadline until) {
    return wait_until(body_->waiting, *core_, until, [&](look how) {
        if (take_any(me)) { return true; }
        if (how == look::quick) { return false; }
        free_dead_ones();
        return take_any(me);
    });
}

void semaphore::find_and_give_back(layout::member_id me) {
    for (std::uint32_t token = 0; token < units(); ++token) {
        if (tokens_[token].load(std::memory_order_relaxed) == me && give_back(token, me)) {
            hint_.store(token, std::memory_order_relaxed);
            return;
        }
    }
    throw error{errc::not_held,
                fmt::format("cannot release a semaphore in space {}: this process holds no unit of "
                            "it; acquire it first, or use counting_semaphore, whose units have no "
                            "holders",
                            core_->name())};
}

std::uint32_t semaphore::available() const {
    living lives{*core_};
    std::uint32_t count = 0;
    for (const auto& token : tokens_) {
        const auto holder = token.load(std::memory_order_relaxed);
        if (holder == 0 || !lives(holder)) { ++count; }
    }
    return count;
}

}  // namespace ringpipe::sync
