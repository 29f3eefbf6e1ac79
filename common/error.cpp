#include "common/error.hpp"

#include <sysexits.h>

#include <utility>

namespace ringpipe {
namespace {

const char* words_for(errc code) noexcept {
    switch (code) {
        case errc::ring_not_found: return "no such ring";
        case errc::ring_exists: return "the ring exists already";
        case errc::options_differ: return "the ring exists with other options";
        case errc::wrong_version: return "the ring was made by another version";
        case errc::not_a_ring: return "not a ring";
        case errc::unfinished: return "the ring was never finished";
        case errc::truncated_segment: return "the ring's file is too short";
        case errc::corrupt: return "the ring is corrupt";
        case errc::no_space: return "no room for the ring";
        case errc::no_permission: return "permission denied";
        case errc::invalid_name: return "invalid name";
        case errc::invalid_argument: return "invalid argument";
        case errc::message_too_large: return "message too large";
        case errc::members_full: return "the member table is full";
        case errc::groups_full: return "the group table is full";
        case errc::names_full: return "the table of producers' names is full";
        case errc::name_in_use: return "the name is in use";
        case errc::group_not_found: return "no such group";
        case errc::group_in_use: return "the group is in use";
        case errc::loan_outstanding: return "an uncommitted loan is outstanding";
        case errc::unacknowledged: return "messages wait for their acknowledgement";
        case errc::presence_lost: return "the member's presence lock is gone";
        case errc::forked: return "used in a forked child";
        case errc::closed: return "used after close";
        case errc::timed_out: return "timed out";
        case errc::malformed_input: return "malformed input";
        case errc::input_not_found: return "no such input file";
        case errc::worker_died: return "the worker died";
        case errc::task_cancelled: return "the task was cancelled";
        case errc::pool_broken: return "the pool is broken";
        case errc::not_found: return "nothing of that name in the space";
        case errc::not_held: return "not held";
        case errc::party_died: return "a party of the barrier died";
        case errc::io: return "input/output error";
    }
    return "unknown error";
}

class category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "ringpipe"; }
    [[nodiscard]] std::string message(int code) const override {
        return words_for(static_cast<errc>(code));
    }
};

}  // namespace

const std::error_category& error_category() noexcept {
    static const category instance;
    return instance;
}

std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

error::error(errc code, std::string line)
    : std::system_error{make_error_code(code)}, line_{std::move(line)} {}

error::error(errc code, std::string line, int error_number)
    : error{code, line + ": " + std::generic_category().message(error_number)} {}

int exit_code_for(errc code) noexcept {
    switch (code) {
        case errc::invalid_name:
        case errc::invalid_argument: return EX_USAGE;
        case errc::message_too_large:
        case errc::malformed_input:
        case errc::corrupt:
        case errc::truncated_segment: return EX_DATAERR;
        case errc::ring_not_found:
        case errc::input_not_found:
        case errc::group_not_found:
        case errc::not_found: return EX_NOINPUT;
        case errc::members_full:
        case errc::groups_full:
        case errc::names_full:
        case errc::name_in_use:
        case errc::group_in_use:
        case errc::presence_lost:
        case errc::task_cancelled:
        case errc::pool_broken:
        case errc::unfinished: return EX_UNAVAILABLE;
        case errc::loan_outstanding:
        case errc::unacknowledged:
        case errc::forked:
        case errc::worker_died:
        case errc::not_held:
        case errc::party_died:
        case errc::closed: return EX_SOFTWARE;
        case errc::ring_exists:
        case errc::no_space: return EX_CANTCREAT;
        case errc::io: return EX_IOERR;
        case errc::timed_out: return EX_TEMPFAIL;
        case errc::no_permission: return EX_NOPERM;
        case errc::options_differ:
        case errc::wrong_version:
        case errc::not_a_ring: return EX_CONFIG;
    }
    return EX_SOFTWARE;
}

}  // namespace ringpipe
