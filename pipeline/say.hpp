// One line to the user, in the program's name.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "common/program.hpp"

namespace ringpipe::pipeline {

inline constexpr std::string_view program_name = "ringpipe";

template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
    tell_user(program_name, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace ringpipe::pipeline
