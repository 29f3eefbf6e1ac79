// What can go wrong, as one enumeration, one exception and one exit code each.
//
// Every message says what was tried, on what, why it failed and what to do, in one line.
#pragma once

#include <string>
#include <system_error>

namespace ringpipe {

enum class errc {
    ring_not_found = 1,  // nothing of that name
    ring_exists,         // create() met a ring that is already there
    options_differ,      // the ring is there, but was made with other options
    wrong_version,       // a ring, made by another version or for another ABI
    not_a_ring,          // a file of that name that is something else
    unfinished,          // its creator died, or is still at work, and the deadline is over
    truncated_segment,   // the file is shorter than its header says
    corrupt,             // the bytes in the segment contradict each other
    no_space,            // the file system is too small for the ring
    no_permission,       //
    invalid_name,        // a ring or group name that cannot be one
    invalid_argument,    // an option out of its range
    message_too_large,   // can never fit into this ring
    members_full,        // every slot of the member table is in use
    groups_full,         // every slot of the group table is in use
    names_full,          // every entry for producers that can resume is in use
    name_in_use,         // a living producer has that name
    group_not_found,     //
    group_in_use,        // a group cannot be removed while it has a living member
    loan_outstanding,    // a send that would wait for one's own uncommitted loan
    unacknowledged,      // a receive beyond the lease while messages of it are not acknowledged
    presence_lost,       // others may think this member dead: its byte lock is gone
    forked,              // an endpoint used in a child process that did not open it
    closed,              // an endpoint used after close()
    timed_out,           //
    malformed_input,     // input that is not what its framing says
    input_not_found,     // an input file that does not exist
    worker_died,         // a pool's worker, at a task that has no attempt left
    task_cancelled,      // before it began
    pool_broken,         // its workers cannot be started
    not_found,           // a space has nothing of that name
    not_held,            // given back without being held
    party_died,          // a barrier waits for a party that died or left
    io,                  // the operating system said no; the message says why
};

const std::error_category& error_category() noexcept;
std::error_code make_error_code(errc) noexcept;

// The exception that all of ringpipe throws. `what()` is the whole line for a user.
class error : public std::system_error {
  public:
    error(errc code, std::string line);

    // Adds the operating system's own words for `error_number` (an errno value).
    error(errc code, std::string line, int error_number);

    [[nodiscard]] errc which() const noexcept { return static_cast<errc>(code().value()); }
    [[nodiscard]] const char* what() const noexcept override { return line_.c_str(); }

  private:
    std::string line_;
};

// The code of sysexits.h that a program ends with after this error.
[[nodiscard]] int exit_code_for(errc) noexcept;

}  // namespace ringpipe

template <>
struct std::is_error_code_enum<ringpipe::errc> : std::true_type {};
