// The names of a pool's two rings.
#pragma once

#include <string>

namespace ringpipe::pool {

inline std::string requests_of(const std::string& pool) { return pool + ".requests"; }
inline std::string replies_of(const std::string& pool) { return pool + ".replies"; }

}  // namespace ringpipe::pool
