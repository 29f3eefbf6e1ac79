#include "shm/loan.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "shm/append_end.hpp"

namespace ringpipe {

void loan::commit(std::size_t size) {
    if (end_ == nullptr) { return; }
    if (size > payload_.size()) {
        throw error{errc::invalid_argument,
                    fmt::format("cannot commit {} bytes of a loan of {}", size, payload_.size())};
    }
    std::exchange(end_, nullptr)->commit(at_, word_, size);
}

void loan::discard() noexcept {
    if (end_ != nullptr) { std::exchange(end_, nullptr)->discard(at_, word_); }
}

}  // namespace ringpipe
