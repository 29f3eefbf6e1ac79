// Foreign text in an error line: quoted, and kept to one line whatever it contains.
#pragma once

#include <string>
#include <string_view>

namespace ringpipe {

// 'text', with control characters as \xNN, so that no file name can forge a second line.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "'";
    for (const char c : text) {
        const auto value = static_cast<unsigned char>(c);
        if (value < 0x20 || value == 0x7f) {
            result += "\\x";
            result += digits[value >> 4U];
            result += digits[value & 0xfU];
        } else {
            result += c;
        }
    }
    result += '\'';
    return result;
}

}  // namespace ringpipe
