// What the command lines of all programs have in common, on top of CLI11.
//
// Only headers, so that the common library does not depend on CLI11; who includes this does.
#pragma once

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringpipe/common/completion.hpp"
#include "ringpipe/common/error.hpp"
#include "ringpipe/common/man_page.hpp"
#include "ringpipe/common/quote.hpp"
#include "ringpipe/common/version.hpp"

namespace ringpipe::command_line {

// The codes of sysexits.h that every program may end with; its own ones come before these.
inline constexpr std::string_view sysexits_help =
    "  64  a mistake on the command line\n"
    "  65  bad data: a malformed or too large message, a corrupt ring\n"
    "  66  no such file, ring or group\n"
    "  69  no free slot in the ring's table of members or groups\n"
    "  70  a bug in ringpipe\n"
    "  73  the ring cannot be created: no room\n"
    "  74  reading or writing failed\n"
    "  75  nothing came in time\n"
    "  77  no permission\n"
    "  78  the ring is there with other options, or is of another version\n"
    "  128 + N  ended by signal N, as 130 after Ctrl-C\n";

// Adds --version, parses. False: --help or --version was asked for, and is answered.
// Throws error(invalid_argument).
[[nodiscard]] inline bool parse(CLI::App& app, int argc, const char* const* argv) {
    app.set_version_flag("--version", app.get_name() + " " + std::string{version},
                         "Print the version and exit");
    app.get_formatter()->column_width(34);
    // For packagers, and in no group, so that --help does not name them.
    const auto print = [](const std::string& text) {
        std::fputs(text.c_str(), stdout);
        throw CLI::Success{};
    };
    app.add_flag_callback("--man", [&] { print(man_page(app)); })->group("");
    app.add_option_function<std::string>(
           "--completion",
           [&](const std::string& shell) {
               print(shell == "zsh" ? zsh_completion(app) : bash_completion(app));
           })
        ->check(CLI::IsMember{{"bash", "zsh"}})
        ->group("");
    try {
        app.parse(argc, argv);
        return true;
    } catch (const CLI::Success& answered) {  // it was --help or --version
        std::fflush(stdout);
        (void)app.exit(answered);
        return false;
    } catch (const CLI::ParseError& mistake) {
        // What the user wrote may be part of it, control characters and all.
        std::string line = mistake.what();
        for (char& c : line) {
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) { c = ' '; }
        }
        throw error{errc::invalid_argument, line + "; see " + app.get_name() + " --help"};
    }
}

// An option whose text `read` turns into `into`; `read` throws error(invalid_argument).
template <class T, class Read>
CLI::Option* add(CLI::App& app, const std::string& name, T& into, Read read,
                 const std::string& help) {
    return app.add_option_function<std::string>(
        name,
        [&into, read, name](const std::string& text) {
            try {
                into = read(text);
            } catch (const error& e) { throw error{e.which(), name + ": " + e.what()}; }
        },
        help);
}

template <class T>
using choices = std::vector<std::pair<std::string_view, T>>;

// An option that is one of a few words.
template <class T>
CLI::Option* add_choice(CLI::App& app, const std::string& name, T& into, choices<T> all,
                        const std::string& help) {
    std::string words;
    for (const auto& [word, value] : all) {
        if (!words.empty()) { words += '|'; }
        words += word;
    }
    const auto read = [all, words](const std::string& text) {
        for (const auto& [word, value] : all) {
            if (word == text) { return value; }
        }
        throw error{errc::invalid_argument, in_quotes(text) + " is not one of " + words};
    };
    return add(app, name, into, read, help)->type_name(words);
}

// "0660": the permissions of a file, in octal.
[[nodiscard]] inline unsigned parse_mode(std::string_view text) {
    unsigned mode = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, mode, 8);
    if (problem != std::errc{} || stop != end || mode > 0777) {
        throw error{errc::invalid_argument,
                    "cannot read " + in_quotes(text) +
                        " as permissions; write them in octal, as 0600 or 0660"};
    }
    return mode;
}

}  // namespace ringpipe::command_line
