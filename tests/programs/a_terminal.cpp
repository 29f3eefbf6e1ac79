#include "tests/programs/a_terminal.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "tests/support/ring_fixture.hpp"

namespace ringpipe::test {
namespace {

std::string output_of(const std::string& command) {
    std::string out;
    auto* from = ::popen(command.c_str(), "r");
    REQUIRE(from != nullptr);
    std::array<char, 4096> part;
    while (const auto count = std::fread(part.data(), 1, part.size(), from)) {
        out.append(part.data(), count);
    }
    ::pclose(from);
    return out;
}

int count_of_terminals = 0;

}  // namespace

bool has_tmux() { return std::system("tmux -V > /dev/null 2>&1") == 0; }  // NOLINT

a_terminal::a_terminal(const std::string& command, const std::string& environment)
    : tmux_{fmt::format("tmux -L ringpipe-test-{}-{} -f /dev/null", ::getpid(),
                        ++count_of_terminals)} {
    const auto whole = fmt::format("{} {}; echo exit code $?; sleep 1000", environment, command);
    output_of(fmt::format("env -u TMUX {} new-session -d -x 80 -y 24 '{}' 2>&1", tmux_, whole));
}

a_terminal::~a_terminal() { output_of(tmux_ + " kill-server 2>&1"); }

void a_terminal::press(const std::string& keys) { output_of(tmux_ + " send-keys " + keys); }

void a_terminal::resize(int columns, int rows) {
    output_of(fmt::format("{} resize-window -x {} -y {}", tmux_, columns, rows));
}

std::string a_terminal::text() const { return output_of(tmux_ + " capture-pane -p 2>&1"); }

std::string a_terminal::row(int number) const {
    std::istringstream lines{text()};
    std::string line;
    for (int i = 0; i <= number; ++i) {
        line.clear();
        std::getline(lines, line);
    }
    return line;
}

bool a_terminal::shows(const std::string& what) const {
    const bool seen = eventually([&] { return text().find(what) != std::string::npos; });
    if (!seen) { MESSAGE(text()); }
    return seen;
}

bool a_terminal::hides(const std::string& what) const {
    return eventually([&] { return text().find(what) == std::string::npos; });
}

}  // namespace ringpipe::test
