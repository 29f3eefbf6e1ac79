#include "sync/mutex.hpp"

namespace ringpipe::sync {
namespace {

wanted_entry a_mutex(std::string_view name) {
    return {.what = layout::kind::mutex,
            .name = name,
            .parameter = 0,
            .size_for = [](std::uint64_t, std::uint32_t) -> std::uint64_t {
                return sizeof(layout::mutex_body);
            }};
}

}  // namespace

mutex::mutex(const space& where, std::string_view name)
    : mutex{where, where.core()->find_or_make(a_mutex(name))} {}

mutex::mutex(const space& where, const place& found)
    : core_{where.core()},
      index_{found.index},
      body_{found.as<layout::mutex_body>()},
      word_{*core_, body_->lock} {}

}  // namespace ringpipe::sync
