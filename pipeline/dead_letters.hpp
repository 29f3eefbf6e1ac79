// The dead letters of a ring: looked at, counted, taken out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "shm/message.hpp"
#include "shm/ring.hpp"

namespace ringpipe::pipeline {

class dead_letters {
  public:
    // Nothing if that ring has no dead-letter ring, whether or not there is a ring itself.
    [[nodiscard]] static std::optional<dead_letters> of(const std::string& ring_name);

    [[nodiscard]] const ring& where() const { return where_; }

    // How many wait there, as far as a look without locks can tell.
    [[nodiscard]] std::uint64_t count() const;

    // Shows those that are there now to `visit`; they stay.
    void look(const std::function<void(const message&)>& visit) const;

    // Hands those that are there now to `visit`, each once: it is gone when `visit` returns true.
    // Ends with the first false.
    void take(const std::function<bool(const message&)>& visit) const;

  private:
    explicit dead_letters(ring where);

    ring where_;
};

}  // namespace ringpipe::pipeline
