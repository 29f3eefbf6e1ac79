#include "shm/loan.hpp"

#include "shm/append_end.hpp"

namespace ringpipe {

void loan::commit(std::size_t size) {
    if (end_ != nullptr) { std::exchange(end_, nullptr)->commit(at_, word_, size); }
}

void loan::discard() noexcept {
    if (end_ != nullptr) { std::exchange(end_, nullptr)->discard(at_, word_); }
}

}  // namespace ringpipe
