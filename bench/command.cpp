#include "bench/command.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace ringpipe::bench {

namespace {

// A command that hangs is ended before the team is: its own processes would outlive us.
command_result run_command(const std::string& script) {
    setenv("RINGPIPE_BENCH_SCRIPT", script.c_str(), 1);
    const auto from = std::chrono::steady_clock::now();
    auto* const pipe = popen(R"(exec timeout 50 sh -c "$RINGPIPE_BENCH_SCRIPT")", "re");
    if (pipe == nullptr) { throw std::runtime_error("the shell did not start"); }
    command_result made;
    std::array<char, 4096> part{};
    while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) {
        made.output.append(part.data(), size);
    }
    const int status = pclose(pipe);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - from;
    made.seconds = passed.count();
    if (status != 0) {
        throw std::runtime_error("the command ended with status " + std::to_string(status));
    }
    return made;
}

}  // namespace

cell command_cell(const std::string& script,
                  const std::function<measurement(const command_result&)>& judge) {
    cell made;
    made.processes.share_cores = true;
    made.processes.limit = std::chrono::seconds{60};
    made.processes.first = [=](side& me) {
        setenv("BIN", folder_of_programs().c_str(), 1);
        setenv("FIRST_CORE", std::to_string(me.cores()[0]).c_str(), 1);
        setenv("SECOND_CORE", std::to_string(me.cores()[1]).c_str(), 1);
        me.measure([&] { me.report(judge(run_command(script))); });
    };
    made.processes.second = [](side& me) { me.measure([] {}); };
    return made;
}

std::string folder_of_programs() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::string why_not_installed(const std::string& program) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders{path == nullptr ? "" : path};
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (access((folder + '/' + program).c_str(), X_OK) == 0) { return ""; }
    }
    return program + " is not installed";
}

}  // namespace ringpipe::bench
