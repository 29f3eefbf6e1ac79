// Scripts with which a shell completes a program's command line, from the same words as its --help.
//
// Only headers: see command_line.hpp.
#pragma once

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ringpipe::command_line {

namespace completion {

// Names of rings are what stands behind this in /dev/shm.
inline constexpr std::string_view list_rings =
    "$(cd /dev/shm 2>/dev/null && printf '%s\\n' ringpipe.* | sed -n 's/^ringpipe\\.//p')";

[[nodiscard]] inline std::string identifier(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return "_" + name;
}

[[nodiscard]] inline std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

[[nodiscard]] inline std::string options_of(const CLI::App& app) {
    std::string words;
    for (const auto* one : app.get_options()) {
        if (one->get_positional() || one->get_group().empty()) { continue; }
        for (const auto& name : one->get_lnames()) { words += "--" + name + " "; }
    }
    return words;
}

// For single quotes of a shell, within [...] of zsh's _arguments.
[[nodiscard]] inline std::string zsh_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
            out += '\\';
            out += c;
        } else {
            out += c == '\n' ? ' ' : c;
        }
    }
    return out;
}

[[nodiscard]] inline std::string zsh_arguments(const CLI::App& app, std::string_view indent) {
    std::string out = "_arguments";
    for (const auto* one : app.get_options()) {
        if (one->get_positional() || one->get_group().empty()) { continue; }
        for (const auto& name : one->get_lnames()) {
            out += " \\\n" + std::string{indent} + "'--" + name + "[" +
                   zsh_text(one->get_description()) + "]" +
                   (one->get_type_size() == 0 ? "" : ":" + zsh_text(one->get_type_name()) + ":") +
                   "'";
        }
    }
    return out + " \\\n" + std::string{indent} + "'*: :_ringpipe_words'\n";
}

}  // namespace completion

[[nodiscard]] inline std::string bash_completion(const CLI::App& app) {
    const auto name = app.get_name();
    const auto commands = completion::commands_of(app);
    auto out = "# bash completion for " + name + ", made by " + name + " --completion bash\n" +
               completion::identifier(name) + "() {\n" +
               "    local current=${COMP_WORDS[COMP_CWORD]} options='" +
               completion::options_of(app) + "'\n    COMPREPLY=()\n";
    if (!commands.empty()) {
        std::string words;
        for (const auto* sub : commands) { words += sub->get_name() + " "; }
        out +=
            "    if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then\n"
            "        mapfile -t COMPREPLY < <(compgen -W '" +
            words + "' -- \"$current\")\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n";
        for (const auto* sub : commands) {
            out += "        " + sub->get_name() + ") options='" + completion::options_of(*sub) +
                   "' ;;\n";
        }
        out += "    esac\n";
    }
    return out +
           "    if [[ $current == -* ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
           "    else\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"" +
           std::string{completion::list_rings} +
           "\" -- \"$current\"; compgen -f -- \"$current\")\n"
           "    fi\n}\ncomplete -o filenames -F " +
           completion::identifier(name) + " " + name + "\n";
}

[[nodiscard]] inline std::string zsh_completion(const CLI::App& app) {
    const auto name = app.get_name();
    const auto commands = completion::commands_of(app);
    auto out = "#compdef " + name + "\n# made by " + name +
               " --completion zsh\n\n"
               "_ringpipe_words() {\n    compadd -- ${(f)\"" +
               std::string{completion::list_rings} + "\"}\n    _files\n}\n\n";
    if (commands.empty()) { return out + completion::zsh_arguments(app, "    "); }
    out += "if ((CURRENT == 2)); then\n    local -a commands=(\n";
    for (const auto* sub : commands) {
        out += "        '" + sub->get_name() + ":" + completion::zsh_text(sub->get_description()) +
               "'\n";
    }
    out +=
        "    )\n    _describe command commands\n    return\nfi\nlocal command=$words[2]\n"
        "shift words\n((CURRENT--))\ncase $command in\n";
    for (const auto* sub : commands) {
        out += "    " + sub->get_name() + ")\n        " +
               completion::zsh_arguments(*sub, "            ") + "        ;;\n";
    }
    return out + "esac\n";
}

}  // namespace ringpipe::command_line
