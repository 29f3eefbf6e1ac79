// The outermost part of every program: whatever goes wrong becomes one line and an exit code.
#pragma once

#include <functional>
#include <string_view>

namespace ringpipe {

// Of whoever read to the end of a stream that is not whole.
inline constexpr int exit_code_truncated = 3;

// Returns what `body` returns. An exception is reported as "NAME: LINE" on standard error;
// the result is then exit_code_for() its error.
[[nodiscard]] int run_program(std::string_view name, const std::function<int()>& body) noexcept;

// One line of the program to its user, on standard error.
void tell_user(std::string_view name, std::string_view line) noexcept;

}  // namespace ringpipe
