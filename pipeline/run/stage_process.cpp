#include "pipeline/run/stage_process.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "pipeline/launch.hpp"
#include "pipeline/run/bridge_plan.hpp"

namespace ringpipe::pipeline {
namespace {

std::string_view name_in(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

std::vector<std::string> environment_for(const part& what, std::size_t number) {
    auto all = what.environment;
    all.push_back(fmt::format("RINGPIPE_NUMBER={}", number + 1));
    if (!what.bridge.empty()) { all.push_back(bridge_environment(what)); }
    const auto own = all;
    for (auto** entry = ::environ; *entry != nullptr; ++entry) {
        const bool overridden = std::any_of(own.begin(), own.end(), [&](const std::string& each) {
            return name_in(each) == name_in(*entry);
        });
        if (!overridden) { all.emplace_back(*entry); }
    }
    return all;
}

std::vector<std::string> stage_words(const part& what, std::size_t number, const links& rings) {
    auto words = what.words;
    words.insert(words.end(), {"--label", name_of_copy(what, number)});
    if (what.from) {
        words.insert(words.end(), {"--from", rings.name(*what.from), "--group", what.group});
    }
    if (what.questions) {
        words.insert(words.end(),
                     {"--questions", rings.name(*what.questions), "--passed", what.passed});
    }
    if (rings.can_be_resumed()) { words.emplace_back("--resumable"); }
    if (what.to) { words.insert(words.end(), {"--to", rings.name(*what.to)}); }
    if (may_be_scaled(what)) { words.emplace_back("--one-of-many"); }
    if (number > 0) {
        words.insert(words.end(), {"--when-needed", "--whole-lines"});
    } else if (what.whole_lines) {
        words.emplace_back("--whole-lines");
    }
    return words;
}

}  // namespace

std::string name_of_copy(const part& what, std::size_t number) {
    return what.copies == 1 && number == 0 ? what.label
                                           : fmt::format("{}.{}", what.label, number + 1);
}

shell_command stage_process(const part& what, std::size_t number, const links& rings) {
    const auto words =
        what.bridge.empty() ? stage_words(what, number, rings) : bridge_words(what, rings);
    shell_command command;
    command.role = what.from ? side::consumer : side::producer;
    command.label = name_of_copy(what, number);
    if (!what.directory.empty()) { command.text = "cd " + shell_word(what.directory) + " && "; }
    command.text += "exec " + shell_word(std::filesystem::read_symlink("/proc/self/exe").string());
    if (what.bridge.empty()) { command.text += " stage"; }
    for (const auto& word : words) { command.text += " " + shell_word(word); }
    if (!what.from && !what.has_input) { command.text += " </dev/null"; }
    command.environment = environment_for(what, number);
    return command;
}

}  // namespace ringpipe::pipeline
