// The version that every program prints and every ring's header carries.
#pragma once

#include <string_view>

namespace ringpipe {

inline constexpr std::string_view version = "0.1.0";

}  // namespace ringpipe
