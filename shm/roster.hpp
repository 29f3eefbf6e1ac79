// Who of a file's members is alive, asked by all that can be held by a member that died.
#pragma once

#include <string>

#include "ringpipe/common/deadline.hpp"
#include "ringpipe/shm/layout.hpp"

namespace ringpipe {

class roster {
  public:
    roster() = default;
    roster(const roster&) = delete;
    roster& operator=(const roster&) = delete;
    virtual ~roster() = default;

    // That member, in that incarnation, is alive. Any value may be asked for, also a corrupt one.
    [[nodiscard]] virtual bool alive(layout::member_id who) const = 0;
    // How long the living sleep, at most, before they ask.
    [[nodiscard]] virtual clock::duration liveness_interval() const = 0;
    // For people to read, never for a decision; 0 if unknown.
    [[nodiscard]] virtual std::uint32_t pid_of(std::uint32_t slot) const = 0;
    // "ring NAME", for errors.
    [[nodiscard]] virtual std::string title() const = 0;
};

}  // namespace ringpipe
