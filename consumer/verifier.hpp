// Checks generated messages: none missing, none damaged, none twice but for redeliveries.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/sequence_verifier.hpp"
#include "shm/message.hpp"

namespace ringpipe::consumer_program {

class verifier {
  public:
    // `from_beginning`: the numbers begin with 0; if not, with the first one seen.
    explicit verifier(bool from_beginning) : from_beginning_{from_beginning} {}

    // False: some number was passed over. If other members of the group have got those, say so.
    [[nodiscard]] bool check(const message& one);
    void shares() { alone_ = false; }
    [[nodiscard]] bool alone() const { return alone_; }

    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }
    [[nodiscard]] std::uint64_t missing() const;  // 0 if it is not alone: nobody can say

    [[nodiscard]] bool good() const;

    // One line for people.
    [[nodiscard]] std::string report() const;

  private:
    // Each producer numbers its own messages.
    struct source {
        sequence_verifier numbers;
        std::uint64_t next = 0;  // behind the highest number seen
    };

    [[nodiscard]] number_range expected(const sequence_verifier& numbers) const;
    [[nodiscard]] std::string first_missing() const;

    bool from_beginning_;
    bool alone_ = true;
    std::map<std::uint32_t, source> sources_;
    std::uint64_t checked_ = 0;
    std::uint64_t damaged_ = 0;
    std::uint64_t foreign_ = 0;  // not generated at all
    std::uint64_t twice_ = 0;    // not marked as redelivered
    std::uint64_t late_ = 0;     // first deliveries out of order
};

}  // namespace ringpipe::consumer_program
