// A program's manual page, from the same words as its --help.
//
// Only headers: see command_line.hpp.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

#include "ringpipe/common/version.hpp"

namespace ringpipe::command_line {

namespace roff {

// As plain text: no escape, no line that begins a request, no typographic hyphens.
[[nodiscard]] inline std::string plain(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool begins_line = out.empty() || out.back() == '\n';
        if (begins_line && (c == '.' || c == '\'')) { out += "\\&"; }
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
    }
    return out;
}

// Lines that stay as they are: examples and tables.
[[nodiscard]] inline std::string verbatim(std::string_view text) {
    return ".nf\n" + plain(text) + (text.ends_with('\n') ? "" : "\n") + ".fi\n";
}

[[nodiscard]] inline std::string option(const CLI::Option& one) {
    auto out = ".TP\n\\fB" + plain(one.get_name(one.get_positional(), true)) + "\\fR";
    if (const auto type = one.get_type_name(); !type.empty() && !one.get_positional()) {
        out += " \\fI" + plain(type) + "\\fR";
    }
    return out + "\n" + plain(one.get_description()) + "\n";
}

[[nodiscard]] inline std::string options(const CLI::App& app) {
    std::string out;
    for (const auto* one : app.get_options()) {
        if (!one->get_group().empty()) { out += option(*one); }
    }
    return out;
}

[[nodiscard]] inline std::string synopsis(const CLI::App& app, const std::string& name) {
    auto out = ".B " + plain(name) + "\n[\\fIOPTIONS\\fR]";
    for (const auto* one : app.get_options()) {
        if (!one->get_positional()) { continue; }
        const auto word = plain(one->get_name(true)) + (one->get_expected_max() > 1 ? "..." : "");
        out += one->get_required() ? " " + word : " [" + word + "]";
    }
    return out + "\n";
}

}  // namespace roff

// In section 1, with its subcommands as sections of it.
[[nodiscard]] inline std::string man_page(const CLI::App& app) {
    const auto name = app.get_name();
    auto out = ".TH " + name + " 1 \"\" \"ringpipe " + std::string{version} +
               "\" \"User Commands\"\n.SH NAME\n" + roff::plain(name) + " \\- " +
               roff::plain(app.get_description()) + "\n.SH SYNOPSIS\n";
    const auto commands =
        app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
    if (commands.empty()) {
        out += roff::synopsis(app, name);
    } else {
        for (const auto* sub : commands) {
            out += roff::synopsis(*sub, name + " " + sub->get_name()) + ".br\n";
        }
    }
    out += ".SH OPTIONS\n" + roff::options(app);
    for (const auto* sub : commands) {
        out += ".SH " + roff::plain(name + " " + sub->get_name()) + "\n" +
               roff::plain(sub->get_description()) + ".\n" + roff::options(*sub);
        if (const auto more = sub->get_footer(); !more.empty()) {
            out += ".PP\n" + roff::verbatim(more);
        }
    }
    if (const auto more = app.get_footer(); !more.empty()) {
        out += ".SH NOTES\n" + roff::verbatim(more);
    }
    return out;
}

}  // namespace ringpipe::command_line
