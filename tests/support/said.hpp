// What to look for in what a program said.
#pragma once

#include <string>

namespace ringpipe::test {

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// The first line with that in it; empty if there is none.
inline std::string line_with(const std::string& text, const std::string& part) {
    const auto at = text.find(part);
    if (at == std::string::npos) { return ""; }
    const auto begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    return text.substr(begin, text.find('\n', at) - begin);
}

}  // namespace ringpipe::test
