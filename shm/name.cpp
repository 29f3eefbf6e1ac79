#include "shm/name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "common/error.hpp"
#include "shm/layout.hpp"

namespace ringpipe {
namespace {

constexpr std::size_t longest_ring_name = layout::name_size - 1 - dead_letter_suffix.size();

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// What an error message may show of a name that a terminal must not see whole.
std::string shown(std::string_view name) {
    constexpr std::size_t most = 40;
    std::string out{name.substr(0, most)};
    std::replace_if(out.begin(), out.end(), is_control, '?');
    return name.size() > most ? out + "..." : out;
}

[[noreturn]] void refuse(std::string_view name, std::string_view what, std::string_view why) {
    throw error{errc::invalid_name,
                fmt::format("cannot use '{}' as the name of a {}: {}", shown(name), what, why)};
}

}  // namespace

void check_name(std::string_view name, std::string_view what) {
    if (name.empty()) { refuse(name, what, "it is empty; give it at least one character"); }
    if (name == "." || name == "..") { refuse(name, what, "it names a folder; choose another"); }
    if (name.size() >= layout::name_size) {
        refuse(name, what,
               fmt::format("it has {} characters; use at most {}", name.size(),
                           layout::name_size - 1));
    }
    if (std::any_of(name.begin(), name.end(), is_control)) {
        refuse(name, what, "it contains a control character; use printable ones");
    }
    if (name.find('/') != std::string_view::npos) {
        refuse(name, what, "it contains a '/'; leave it out");
    }
}

std::string path_of_ring(std::string_view name) {
    if (name.find('/') == std::string_view::npos) {
        check_name(name, "ring");
        if (name.size() > longest_ring_name && !name.ends_with(dead_letter_suffix)) {
            refuse(name, "ring",
                   fmt::format("it has {} characters; use at most {}, so that there is room for "
                               "the {} of its dead letters",
                               name.size(), longest_ring_name, dead_letter_suffix));
        }
        return fmt::format("{}/{}{}", ring_folder, ring_prefix, name);
    }
    if (std::any_of(name.begin(), name.end(), is_control)) {
        refuse(name, "ring", "its path contains a control character; use printable ones");
    }
    if (name.size() >= PATH_MAX) {
        refuse(name, "ring", "its path is longer than the system allows; shorten it");
    }
    return std::string{name};
}

}  // namespace ringpipe
