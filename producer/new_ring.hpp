// Opens or creates a ring, and leaves none behind that was made for nothing.
#pragma once

#include <string_view>

#include "shm/ring.hpp"

namespace ringpipe::producer_program {

class new_ring {
  public:
    new_ring(std::string_view name, const ring_options& creation);

    // Removes the ring if it was made here, not kept, and nobody else is in it.
    ~new_ring();
    new_ring(const new_ring&) = delete;
    new_ring& operator=(const new_ring&) = delete;

    [[nodiscard]] const ring& operator*() const { return ring_; }
    [[nodiscard]] const ring* operator->() const { return &ring_; }

    // From now on it is of use to others.
    void keep() { made_here_ = false; }

  private:
    bool made_here_ = false;
    ring ring_;
};

}  // namespace ringpipe::producer_program
